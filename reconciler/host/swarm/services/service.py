"""One service of a stack, with its tasks, from the JSON of Swarm. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from attrs import frozen

from reconciler.host.swarm.engine.connection import Json
from reconciler.host.swarm.services.task import has_ended, is_active, parse_time, state_of, state_since

# A task counts as up after this time. Otherwise a task in a crash loop would count as up between two crashes.
STABLE = timedelta(seconds=3)
# A service that depends on another may fail a few times until the other one answers.
PATIENCE = timedelta(seconds=30)

# A constraint that stops a global service, which cannot be scaled to zero: no node has this label.
NO_NODE = "node.labels.canon.rest==true"

# Docker's default of a service's `StopGracePeriod`, in nanoseconds.
DEFAULT_GRACE = 10_000_000_000

# The end of the label that names the port of a service for a proxy.
_SERVED = ".loadbalancer.server.port"

# The parts of a service's task template that tell tasks of different deployments apart. Of the other parts, Swarm fills
# in defaults in the service alone (RestartPolicy, Runtime), or may keep a task although they changed (Placement).
_OF_TASK = ("ContainerSpec", "Resources", "Networks", "LogDriver", "ForceUpdate")

_JOBS = {"ReplicatedJob", "GlobalJob"}


@frozen
class Service:
    """One service of a stack.

    * `name`: its name in the recipe.
    * `json`: what Swarm lists for it.
    * `tasks`: the tasks of the current deployment, the newest first.
    * `earlier`: the tasks of earlier deployments.
    """

    name: str
    json: Json
    tasks: Sequence[Json]
    earlier: Sequence[Json]

    @property
    def changed(self) -> datetime:
        return parse_time(self.json["UpdatedAt"])

    @property
    def failed(self) -> Sequence[Json]:
        """Return the tasks of the current deployment that ended by themselves.

        Completed tasks of a one-shot service are left out.
        """
        return [task for task in self.tasks if has_ended(task) and not self.is_done(task)]

    def is_done(self, task: Json) -> bool:
        """Return True if `task` has done its work: it completed, and the service is one-shot and no server.

        Return False for any other task: a server that completes has failed. Return False also if a health check of the
        task passed or failed: the task then belongs to a server, even if `is_server` is False.
        """
        if state_of(task) != "complete" or not self.is_one_shot or self.is_server:
            return False
        return not (task.get("Unhealthy") or task.get("Healthy"))

    @property
    def is_server(self) -> bool:
        """Return whether the service must stay up: it has a health check or a port.

        A health check of the image does not count, because one image may serve several purposes. A job is no server.
        """
        if self.is_job:
            return False
        check = self.json["Spec"]["TaskTemplate"]["ContainerSpec"].get("Healthcheck") or {}
        ports = (self.json["Spec"].get("EndpointSpec") or {}).get("Ports")
        labelled = any(label.endswith(_SERVED) for label in self.json["Spec"].get("Labels") or ())
        return bool(check and check.get("Test") != ["NONE"]) or bool(ports) or labelled

    @property
    def running(self) -> Sequence[Json]:
        return [task for task in self.tasks if state_of(task) == "running" and task["DesiredState"] == "running"]

    @property
    def has_stopping_task(self) -> bool:
        """Return whether a task of an earlier deployment has not stopped yet.

        Until that task has stopped, a new task may have to wait for its port.
        """
        return any(is_active(task) and task["DesiredState"] == "shutdown" for task in self.earlier)

    @property
    def stable_after(self) -> timedelta:
        """Return how long a task must run before it counts as up.

        This is as long as the longest-lived failed task ran, but at least 3 seconds (STABLE) and at most 30 (PATIENCE).
        """
        lasted = (state_since(task) - parse_time(task["CreatedAt"]) for task in self.failed)
        return min(max([STABLE, *lasted]), PATIENCE)

    def count_stable(self, now: datetime) -> int:
        """Return how many tasks are up at the time `now`: they have run for `stable_after`.

        For a job, return 0: it has to end, and not to stay up.
        """
        return 0 if self.is_job else sum(now - state_since(task) >= self.stable_after for task in self.running)

    def settles_in(self, now: datetime) -> timedelta | None:
        """Return how long after `now` enough tasks of the service count as up, if no task ends before that.

        Return zero if enough tasks are up already. Return None if that time is not known: too few tasks run, or a job
        has not ended yet.
        """
        missing = self.desired - self.completed
        rests = [] if self.is_job else sorted(state_since(task) + self.stable_after - now for task in self.running)
        if missing > len(rests):
            return None
        return max(timedelta(), rests[missing - 1]) if missing > 0 else timedelta()

    @property
    def is_one_shot(self) -> bool:
        """Return whether Swarm starts no new task in place of a completed task of this service."""
        return self._policy.get("Condition", "any") != "any" or self.is_job

    @property
    def is_job(self) -> bool:
        return not _JOBS.isdisjoint(self._mode)

    @property
    def restarts_always(self) -> bool:
        """Return whether Swarm starts a task again whenever it ends, whatever its exit code is, without a limit."""
        return self._policy.get("Condition", "any") == "any" and not self._policy.get("MaxAttempts")

    @property
    def desired(self) -> int:
        if "Replicated" in self._mode:
            return int(self._mode["Replicated"].get("Replicas", 1))
        jobs = self._mode.get("ReplicatedJob")
        return int(jobs.get("TotalCompletions", 1)) if jobs else 1

    @property
    def is_global(self) -> bool:
        """Return whether the service runs once on every node. False for a service that Canon keeps off every node."""
        return "Global" in self._mode and not is_scaled_to_zero(self.json)

    @property
    def completed(self) -> int:
        """Return how many tasks of a one-shot service have completed; 0 for another service."""
        return sum(map(self.is_done, self.tasks))

    @property
    def _mode(self) -> Json:
        return self.json["Spec"].get("Mode") or {}

    @property
    def _policy(self) -> Json:
        return self.json["Spec"]["TaskTemplate"].get("RestartPolicy") or {}


def is_current(service: Json, task: Json) -> bool:
    """Return whether a task belongs to the current deployment of its service.

    These parts of the service and of the task must be the same: the container spec, the resources, the networks, the
    log driver, and how often an update was forced. Swarm also replaces a task if a published port of its service
    changes, but does not list the ports of a task: such a task counts as current.
    """
    wanted, has = service["Spec"]["TaskTemplate"], task["Spec"]
    return all(_agree(wanted.get(part), has.get(part)) for part in _OF_TASK)


def _agree(wanted: object, has: object) -> bool:
    """Return whether a part of a service's spec (`wanted`) and the same part of a task's spec (`has`) agree.

    Swarm fills in defaults in the spec of a service, but not in the spec of a task. Such a default is no difference.
    """
    if isinstance(wanted, Mapping) and isinstance(has, Mapping):
        return all(_agree(wanted.get(key), has.get(key)) for key in {*wanted, *has})
    if has is None and isinstance(wanted, Mapping):
        return all(_agree(value, None) for value in wanted.values())
    return wanted == has or (has is None and (not wanted or wanted == DEFAULT_GRACE))


def service_of(service: Json, tasks: Sequence[Json], prefix: str) -> Service:
    """Return the service with the JSON `service`. Its tasks are those in `tasks` with the id of the service.

    `tasks` may have tasks of other services. `prefix` is removed from the name of the service.
    """
    own = [task for task in tasks if task["ServiceID"] == service["ID"]]
    own.sort(key=lambda task: parse_time(task["CreatedAt"]), reverse=True)
    current = [task for task in own if is_current(service, task)]
    earlier = [task for task in own if task not in current]
    return Service(str(service["Spec"]["Name"]).removeprefix(prefix), service, current, earlier)


def is_scaled_to_zero(service: Json) -> bool:
    """Return whether a service runs nothing: it has no replicas, or is global and kept off every node."""
    mode = service["Spec"].get("Mode") or {}
    placement = service["Spec"]["TaskTemplate"].get("Placement") or {}
    kept_off = "Global" in mode and NO_NODE in (placement.get("Constraints") or ())
    return kept_off or bool(mode.get("Replicated", {}).get("Replicas") == 0)


def volumes_in(service: Json) -> frozenset[str]:
    """Return the names of all volumes that a service mounts. These are Docker's names, with the stack's in front."""
    mounts = service["Spec"]["TaskTemplate"]["ContainerSpec"].get("Mounts") or ()
    return frozenset(str(mount.get("Source")) for mount in mounts if mount.get("Type") == "volume")
