"""One service of a stack and its tasks, as Swarm tells of them. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from attrs import frozen

from reconciler.host.swarm.engine.docker_faults import LONGEST_MESSAGE
from reconciler.host.text import one_line

Json = Mapping[str, Any]

# A task that was up for that long counts; one that dies sooner would otherwise be called up in between.
STABLE = timedelta(seconds=3)
# Services find each other late: one that needs another may fail a few times before that one answers.
PATIENCE = timedelta(seconds=30)

# What keeps a service off every node that runs once on each, and so cannot be scaled: nobody gives a node this label.
NO_NODE = "node.labels.canon.rest==true"

# The time to stop, in nanoseconds, that Swarm fills in where a service names none.
_GRACE = 10_000_000_000

# How the label ends that tells a proxy at which port a service listens.
_SERVED = ".loadbalancer.server.port"

_JOBS = {"ReplicatedJob", "GlobalJob"}
_FAILED = {"failed", "rejected"}
_WAITING = {"new", "allocated", "pending", "assigned", "accepted", "preparing", "ready", "starting"}
_GOING = _WAITING | {"running"}


@frozen
class Service:
    """One service as the recipe calls it, with those of its tasks that are of this deployment, newest first.

    `earlier` are the others.
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
        """Tasks that ended otherwise than they are to: most are to stay up."""
        return [task for task in self.tasks if has_ended(task) and not self.is_done(task)]

    def is_done(self, task: Json) -> bool:
        """Whether a task of a one-shot came to a good end.

        A program that a failed health check had stopped may end with 0 just as well. What passed one was no one-shot.
        """
        if state_of(task) != "complete" or not self.is_one_shot or self.is_server:
            return False
        return not (task.get("Unhealthy") or task.get("Healthy"))

    @property
    def is_server(self) -> bool:
        """Whether it bears a health check or a port, and so is to stay up. A check of its image's may be another's."""
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
        """Whether a task of an earlier deployment has yet to stop: a new one may wait for its port."""
        return any(is_active(task) and task["DesiredState"] == "shutdown" for task in self.earlier)

    @property
    def stable_after(self) -> timedelta:
        """How long a task has to be up to count: where some failed before, as long as the longest of them lasted."""
        lasted = (state_since(task) - _time(task["CreatedAt"]) for task in self.failed)
        return min(max([STABLE, *lasted]), PATIENCE)

    def count_stable(self, now: datetime) -> int:
        """A job is none that is up: it has to come to its end."""
        return 0 if self.is_job else sum(now - state_since(task) >= self.stable_after for task in self.running)

    @property
    def is_one_shot(self) -> bool:
        """Whether a task that came to a good end is not started again."""
        return self._policy.get("Condition", "any") != "any" or self.is_job

    @property
    def is_job(self) -> bool:
        return not _JOBS.isdisjoint(self._mode)

    @property
    def restarts_always(self) -> bool:
        """Whether tasks are started again whatever they came to."""
        return self._policy.get("Condition", "any") == "any" and not self._policy.get("MaxAttempts")

    @property
    def desired(self) -> int:
        if "Replicated" in self._mode:
            return int(self._mode["Replicated"].get("Replicas", 1))
        jobs = self._mode.get("ReplicatedJob")
        return int(jobs.get("TotalCompletions", 1)) if jobs else 1

    @property
    def is_global(self) -> bool:
        """Whether it is to run once on every node, and is not kept off all of them by us."""
        return "Global" in self._mode and not is_scaled_to_zero(self.json)

    @property
    def completed(self) -> int:
        """How many tasks of a one-shot came to a good end."""
        return sum(map(self.is_done, self.tasks))

    @property
    def _mode(self) -> Json:
        return self.json["Spec"].get("Mode") or {}

    @property
    def _policy(self) -> Json:
        return self.json["Spec"]["TaskTemplate"].get("RestartPolicy") or {}


def is_current(service: Json, task: Json) -> bool:
    """Swarm keeps tasks of earlier deployments beside the newest: what they ran tells the two apart."""
    wanted, has = service["Spec"]["TaskTemplate"], task["Spec"]
    return all(_agree(wanted.get(part), has.get(part)) for part in ("ContainerSpec", "ForceUpdate"))


def _agree(wanted: object, has: object) -> bool:
    """Whether a task has what its service wants: Swarm tells a service's defaults, and leaves a task's out."""
    if isinstance(wanted, Mapping) and isinstance(has, Mapping):
        return all(_agree(wanted.get(key), has.get(key)) for key in {*wanted, *has})
    if has is None and isinstance(wanted, Mapping):
        return all(_agree(value, None) for value in wanted.values())
    return wanted == has or (has is None and (not wanted or wanted == _GRACE))


def service_of(service: Json, tasks: Sequence[Json], prefix: str) -> Service:
    """`prefix` is what every service's name begins with."""
    own = [task for task in tasks if task["ServiceID"] == service["ID"]]
    own.sort(key=lambda task: _time(task["CreatedAt"]), reverse=True)
    current = [task for task in own if is_current(service, task)]
    earlier = [task for task in own if task not in current]
    return Service(str(service["Spec"]["Name"]).removeprefix(prefix), service, current, earlier)


def failed_tasks(tasks: Iterable[Json]) -> Sequence[Json]:
    return [task for task in tasks if state_of(task) in _FAILED]


def has_ended(task: Json) -> bool:
    """Whether it ended by itself, well or not; what Swarm stopped did not."""
    return state_of(task) in _FAILED or state_of(task) == "complete"


def run_time(task: Json) -> timedelta:
    """How long a task that ended ran; where its container is not here to tell, the time to start it included."""
    ran = task.get("Ran")
    return ran if isinstance(ran, timedelta) else state_since(task) - _time(task["CreatedAt"])


def container_id(task: Json) -> str:
    """The id of its container, "" where it never had one."""
    return str(((task.get("Status") or {}).get("ContainerStatus") or {}).get("ContainerID") or "")


def is_oom_killed(task: Json) -> bool:
    """Whether the kernel killed it for want of memory: its engine tells, and not Swarm."""
    return bool(task.get("OOMKilled"))


def memory_limit(task: Json) -> int:
    """How many bytes it may have, 0 for as many as there are."""
    limits = (task["Spec"].get("Resources") or {}).get("Limits") or {}
    return int(limits.get("MemoryBytes") or 0)


def state_and_message(task: Json) -> str:
    said = message_line(task)
    return f"{state_of(task)}: {said}" if said and said != state_of(task) else state_of(task)


def message_line(task: Json) -> str:
    """What Swarm says of a task in one line."""
    return one_line(message_of(task).encode(), LONGEST_MESSAGE)


def message_of(task: Json) -> str:
    """What Swarm says of a task: its error, else how far it is."""
    status = task.get("Status") or {}
    if state_of(task) == "complete":
        return "exit code 0, after its health check had failed" if task.get("Unhealthy") else "exit code 0"
    return str(status.get("Err") or status.get("Message") or "")


def is_active(task: Json) -> bool:
    """Whether it is up, or on its way there."""
    return state_of(task) in _GOING


def state_of(task: Json) -> str:
    return str((task.get("Status") or {}).get("State", ""))


def state_since(task: Json) -> datetime:
    return _time(task["Status"]["Timestamp"])


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def is_scaled_to_zero(service: Json) -> bool:
    """Whether it is scaled to zero, or runs once on every node of which none is left for it."""
    mode = service["Spec"].get("Mode") or {}
    placement = service["Spec"]["TaskTemplate"].get("Placement") or {}
    kept_off = "Global" in mode and NO_NODE in (placement.get("Constraints") or ())
    return kept_off or bool(mode.get("Replicated", {}).get("Replicas") == 0)


def volumes_in(service: Json) -> frozenset[str]:
    """The volumes that it mounts, by their names in the swarm."""
    mounts = service["Spec"]["TaskTemplate"]["ContainerSpec"].get("Mounts") or ()
    return frozenset(str(mount.get("Source")) for mount in mounts if mount.get("Type") == "volume")
