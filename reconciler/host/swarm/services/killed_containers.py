"""Finds stopped containers that the engine had to kill. Pure.

The engine kills a container that does not stop within its service's `stop_grace_period`: exit code 137. A container
that the kernel kills for lack of memory has the same exit code, and in addition an "oom" event.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta

from reconciler.host.swarm.services.service import Json, is_current, is_oom_killed, state_of

_KILLED = 137
_SERVICE = "com.docker.swarm.service.name"
# Docker's default of `stop_grace_period`, in nanoseconds.
_USUAL_GRACE = 10_000_000_000


def longest_grace(services: Iterable[Json]) -> timedelta:
    """Return the longest `stop_grace_period` of these services: they stop at the same time."""
    graces = (_grace(_container(service)) for service in services)
    return max(graces, default=timedelta())


def killed_on_stop(services: Iterable[Json], events: Iterable[Json]) -> Mapping[str, str]:
    """Return the services that had to be killed, each with its grace period such as "10 s".

    `events` are the "die" and "oom" events of their containers.
    """
    ended = _exit_codes(events)
    containers = {service["Spec"]["Name"]: _container(service) for service in services}
    return {name: _grace_text(container) for name, container in containers.items() if _KILLED in ended.get(name, ())}


def writing_volumes(services: Iterable[Json]) -> frozenset[str]:
    """Return the names of services that may write to a volume. Only these can lose data when killed."""
    return frozenset(service["Spec"]["Name"] for service in services if _writes_to_volume(_container(service)))


def without_grace(services: Iterable[Json]) -> frozenset[str]:
    """Return the names of services with a grace period of zero."""
    return frozenset(service["Spec"]["Name"] for service in services if not _grace(_container(service)))


def oom_killed_services(names: Collection[str], events: Iterable[Json]) -> tuple[str, ...]:
    """Return those of the named services that the kernel killed for lack of memory."""
    short = {_attributes(event).get(_SERVICE, "") for event in events if event.get("Action") == "oom"}
    return tuple(name for name in names if name in short)


def killed_by_update(services: Iterable[Json], tasks: Sequence[Json]) -> Mapping[str, str]:
    """Return the services of which an update killed an old task, each with its grace period such as "10 s".

    Only tasks that may write to a volume count: their last data may be incomplete. Leaves out services that Swarm
    rolled back: their stopped tasks are the new ones.
    """
    return {
        service["Spec"]["Name"]: _grace_text(task["Spec"]["ContainerSpec"])
        for service in services
        if not str((service.get("UpdateStatus") or {}).get("State", "")).startswith("rollback")
        for task in tasks
        if task["ServiceID"] == service["ID"] and not is_current(service, task) and _was_killed(task)
    }


def _was_killed(task: Json) -> bool:
    """Whether a task that may write to a volume did not stop in time and was killed."""
    return was_killed(task) and not is_oom_killed(task) and _writes_to_volume(task["Spec"].get("ContainerSpec") or {})


def was_killed(task: Json) -> bool:
    """Whether a task that Swarm stopped ended by SIGKILL, for any reason."""
    status = (task.get("Status") or {}).get("ContainerStatus") or {}
    return state_of(task) == "shutdown" and status.get("ExitCode") == _KILLED


def _exit_codes(events: Iterable[Json]) -> Mapping[str, set[int]]:
    """Return the exit codes of containers by service, without containers killed for lack of memory."""
    events = tuple(events)
    starved_ids = {_id(event) for event in events if event.get("Action") == "oom"}
    codes: dict[str, set[int]] = {}
    for event in events:
        if event.get("Action") == "die" and _id(event) not in starved_ids:
            code = _attributes(event).get("exitCode", "")
            codes.setdefault(_attributes(event).get(_SERVICE, ""), set()).add(int(code) if code.isdecimal() else -1)
    return codes


def _id(event: Json) -> str:
    return str((event.get("Actor") or {}).get("ID", ""))


def _attributes(event: Json) -> Mapping[str, str]:
    found: Mapping[str, str] = (event.get("Actor") or {}).get("Attributes") or {}
    return found


def _container(service: Json) -> Json:
    spec: Json = service["Spec"]["TaskTemplate"]["ContainerSpec"]
    return spec


def _grace_text(container: Json) -> str:
    return f"{_grace(container).total_seconds():g} s"


def _grace(container: Json) -> timedelta:
    nanoseconds = container.get("StopGracePeriod")
    return timedelta(microseconds=(_USUAL_GRACE if nanoseconds is None else nanoseconds) / 1000)


def _writes_to_volume(container: Json) -> bool:
    mounts = container.get("Mounts") or ()
    return any(mount.get("Type") == "volume" and not mount.get("ReadOnly") for mount in mounts)
