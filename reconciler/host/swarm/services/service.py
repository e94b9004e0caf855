"""One service of a stack and its tasks, from the JSON of Swarm. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from attrs import frozen

from reconciler.host.swarm.engine.docker_faults import LONGEST_MESSAGE
from reconciler.host.text import one_line

Json = Mapping[str, Any]

# A task counts as up after this time. Otherwise a task in a crash loop would count as up between two crashes.
STABLE = timedelta(seconds=3)
# A service that depends on another may fail a few times until the other one answers.
PATIENCE = timedelta(seconds=30)

# A constraint that stops a global service, which cannot be scaled to zero: no node has this label.
NO_NODE = "node.labels.canon.rest==true"

# The default of `StopGracePeriod` that Swarm fills in, in nanoseconds.
_GRACE = 10_000_000_000

# The end of the label that tells a proxy the port of a service.
_SERVED = ".loadbalancer.server.port"

_JOBS = {"ReplicatedJob", "GlobalJob"}
_FAILED = {"failed", "rejected"}
_WAITING = {"new", "allocated", "pending", "assigned", "accepted", "preparing", "ready", "starting"}
_GOING = _WAITING | {"running"}


@frozen
class Service:
    """One service, by its name in the recipe. `tasks` are those of the current deployment, newest first.

    `earlier` are the tasks of earlier deployments.
    """

    name: str
    json: Json
    tasks: Sequence[Json]
    earlier: Sequence[Json]

    @property
    def changed(self) -> datetime:
        return _time(self.json["UpdatedAt"])

    @property
    def failed(self) -> Sequence[Json]:
        """The tasks that ended, except completed tasks of a one-shot service."""
        return [task for task in self.tasks if has_ended(task) and not self.is_done(task)]

    def is_done(self, task: Json) -> bool:
        """Whether a task of a one-shot service completed.

        A task may also end with 0 because its health check failed. A task that passed a check is not a one-shot.
        """
        if state_of(task) != "complete" or not self.is_one_shot or self.is_server:
            return False
        return not (task.get("Unhealthy") or task.get("Healthy"))

    @property
    def is_server(self) -> bool:
        """Whether the service has a health check or a port, and so must stay up.

        A health check of the image does not count: it may be meant for another use of the image.
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
        """Whether an old task has not stopped yet: a new task may wait for its port."""
        return any(is_active(task) and task["DesiredState"] == "shutdown" for task in self.earlier)

    @property
    def stable_after(self) -> timedelta:
        """How long a task must run to count as up: as long as the longest-lived failed task of this service lasted.

        But at least STABLE, and at most PATIENCE.
        """
        lasted = (state_since(task) - _time(task["CreatedAt"]) for task in self.failed)
        return min(max([STABLE, *lasted]), PATIENCE)

    def count_stable(self, now: datetime) -> int:
        """Return the number of tasks that are up; 0 for a job, which has to end."""
        return 0 if self.is_job else sum(now - state_since(task) >= self.stable_after for task in self.running)

    def settles_in(self, now: datetime) -> timedelta | None:
        """Return in how long enough tasks are up if nothing happens until then; zero if they are, None if never."""
        missing = self.desired - self.completed
        rests = [] if self.is_job else sorted(state_since(task) + self.stable_after - now for task in self.running)
        if missing > len(rests):
            return None
        return max(timedelta(), rests[missing - 1]) if missing > 0 else timedelta()

    @property
    def is_one_shot(self) -> bool:
        """Whether a completed task is not restarted."""
        return self._policy.get("Condition", "any") != "any" or self.is_job

    @property
    def is_job(self) -> bool:
        return not _JOBS.isdisjoint(self._mode)

    @property
    def restarts_always(self) -> bool:
        """Whether tasks are always restarted, without a limit."""
        return self._policy.get("Condition", "any") == "any" and not self._policy.get("MaxAttempts")

    @property
    def desired(self) -> int:
        if "Replicated" in self._mode:
            return int(self._mode["Replicated"].get("Replicas", 1))
        jobs = self._mode.get("ReplicatedJob")
        return int(jobs.get("TotalCompletions", 1)) if jobs else 1

    @property
    def is_global(self) -> bool:
        """Whether the service is global, and Canon does not keep it off every node."""
        return "Global" in self._mode and not is_scaled_to_zero(self.json)

    @property
    def completed(self) -> int:
        """The number of completed tasks of a one-shot service."""
        return sum(map(self.is_done, self.tasks))

    @property
    def _mode(self) -> Json:
        return self.json["Spec"].get("Mode") or {}

    @property
    def _policy(self) -> Json:
        return self.json["Spec"]["TaskTemplate"].get("RestartPolicy") or {}


def is_current(service: Json, task: Json) -> bool:
    """Whether a task belongs to the current deployment of its service: the container spec is the same."""
    wanted, has = service["Spec"]["TaskTemplate"], task["Spec"]
    return all(_agree(wanted.get(part), has.get(part)) for part in ("ContainerSpec", "ForceUpdate"))


def _agree(wanted: object, has: object) -> bool:
    """Whether a part of a service's spec (`wanted`) is the same in a task (`has`), apart from defaults.

    Swarm fills in defaults for a service, and omits them for a task.
    """
    if isinstance(wanted, Mapping) and isinstance(has, Mapping):
        return all(_agree(wanted.get(key), has.get(key)) for key in {*wanted, *has})
    if has is None and isinstance(wanted, Mapping):
        return all(_agree(value, None) for value in wanted.values())
    return wanted == has or (has is None and (not wanted or wanted == _GRACE))


def service_of(service: Json, tasks: Sequence[Json], prefix: str) -> Service:
    """Return the service with its tasks. `prefix` is removed from its name."""
    own = [task for task in tasks if task["ServiceID"] == service["ID"]]
    own.sort(key=lambda task: _time(task["CreatedAt"]), reverse=True)
    current = [task for task in own if is_current(service, task)]
    earlier = [task for task in own if task not in current]
    return Service(str(service["Spec"]["Name"]).removeprefix(prefix), service, current, earlier)


def has_ended(task: Json) -> bool:
    """Whether a task ended by itself, completed or failed. False for a task that Swarm stopped."""
    return state_of(task) in _FAILED or state_of(task) == "complete"


def run_time(task: Json) -> timedelta:
    """Return how long an ended task ran. Includes the time to start it if its container is gone."""
    ran = task.get("Ran")
    return ran if isinstance(ran, timedelta) else state_since(task) - _time(task["CreatedAt"])


def container_id(task: Json) -> str:
    """Return the id of the task's container, "" if it never had one."""
    return str(((task.get("Status") or {}).get("ContainerStatus") or {}).get("ContainerID") or "")


def is_oom_killed(task: Json) -> bool:
    """Whether the kernel killed the task for lack of memory. Needs a task from `with_container_ends`."""
    return bool(task.get("OOMKilled"))


def memory_limit(task: Json) -> int:
    """Return the memory limit of a task in bytes, 0 for none."""
    limits = (task["Spec"].get("Resources") or {}).get("Limits") or {}
    return int(limits.get("MemoryBytes") or 0)


def state_and_message(task: Json) -> str:
    message = message_line(task)
    return f"{state_of(task)}: {message}" if message and message != state_of(task) else state_of(task)


def message_line(task: Json) -> str:
    """Return the message of a task in one line."""
    return one_line(message_of(task).encode(), LONGEST_MESSAGE)


def message_of(task: Json) -> str:
    """Return the error of a task, else its status message; for a completed task a text with "exit code 0"."""
    status = task.get("Status") or {}
    if state_of(task) == "complete":
        return "exit code 0, after its health check had failed" if task.get("Unhealthy") else "exit code 0"
    return str(status.get("Err") or status.get("Message") or "")


def is_active(task: Json) -> bool:
    """Whether a task runs or is about to."""
    return state_of(task) in _GOING


def state_of(task: Json) -> str:
    return str((task.get("Status") or {}).get("State", ""))


def state_since(task: Json) -> datetime:
    return _time(task["Status"]["Timestamp"])


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def is_scaled_to_zero(service: Json) -> bool:
    """Whether a service is scaled to zero, or is global and kept off every node."""
    mode = service["Spec"].get("Mode") or {}
    placement = service["Spec"]["TaskTemplate"].get("Placement") or {}
    kept_off = "Global" in mode and NO_NODE in (placement.get("Constraints") or ())
    return kept_off or bool(mode.get("Replicated", {}).get("Replicas") == 0)


def volumes_in(service: Json) -> frozenset[str]:
    """Return the volumes that a service mounts, by their names in the swarm."""
    mounts = service["Spec"]["TaskTemplate"]["ContainerSpec"].get("Mounts") or ()
    return frozenset(str(mount.get("Source")) for mount in mounts if mount.get("Type") == "volume")
