"""Finds containers that the engine had to kill when it stopped them. Pure.

The engine kills a container that does not stop within the `stop_grace_period` of its service: exit code 137. A
container that the kernel kills because memory ran out has the same exit code, and also an "oom" event.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta

from reconciler.host.swarm.engine.connection import Json
from reconciler.host.swarm.engine.event_stream import event_attributes
from reconciler.host.swarm.recipe.stack import SERVICE_NAME
from reconciler.host.swarm.services.service import DEFAULT_GRACE, is_current
from reconciler.host.swarm.services.task import is_oom_killed, parse_time, state_of, state_since

_KILLED = 137


def longest_grace(services: Iterable[Json]) -> timedelta:
    """Return the longest `stop_grace_period` of services that stop at the same time; zero if there are none."""
    graces = (_grace(_container(service)) for service in services)
    return max(graces, default=timedelta())


def killed_on_stop(services: Iterable[Json], events: Iterable[Json]) -> Mapping[str, str]:
    """Return the services that the engine had to kill, as {FULL NAME: GRACE PERIOD}, such as {"web_app": "10 s"}.

    `events` are the "die" and "oom" events of the services' containers. Services that the kernel killed because memory
    ran out are left out.
    """
    ended = _exit_codes(events)
    containers = {service["Spec"]["Name"]: _container(service) for service in services}
    return {name: _grace_text(container) for name, container in containers.items() if _KILLED in ended.get(name, ())}


def writing_volumes(services: Iterable[Json]) -> frozenset[str]:
    """Return the full names of the services that may write to a volume. Only these can lose data if they are killed."""
    return frozenset(service["Spec"]["Name"] for service in services if _writes_to_volume(_container(service)))


def without_grace(services: Iterable[Json]) -> frozenset[str]:
    """Return the full names of the services whose `stop_grace_period` is zero."""
    return frozenset(service["Spec"]["Name"] for service in services if not _grace(_container(service)))


def oom_killed_services(names: Collection[str], events: Iterable[Json]) -> tuple[str, ...]:
    """Return the services of which the kernel killed a container because memory ran out.

    `names` are the full names of the services to look for. `events` are events of containers: an event of the kind
    "oom" tells of such a kill.
    """
    killed = {event_attributes(event).get(SERVICE_NAME, "") for event in events if event.get("Action") == "oom"}
    return tuple(name for name in names if name in killed)


def killed_by_update(services: Iterable[Json], tasks: Sequence[Json]) -> Mapping[str, str]:
    """Return the services of which an update killed an old task, as {FULL NAME: GRACE PERIOD}: {"web_app": "10 s"}.

    An old task is one of an earlier deployment, or one that Swarm stopped after the update began. Only tasks that may
    write to a volume count: their last data may be incomplete. Services that Swarm rolled back are left out: in a
    rollback, the stopped tasks are the new ones.
    """
    return {
        service["Spec"]["Name"]: _grace_text(task["Spec"]["ContainerSpec"])
        for service in services
        if not str((service.get("UpdateStatus") or {}).get("State", "")).startswith("rollback")
        for task in tasks
        if task["ServiceID"] == service["ID"] and _was_killed(task)
        if not is_current(service, task) or _ended_in_update(service, task)
    }


def _ended_in_update(service: Json, task: Json) -> bool:
    """Return whether a task has its state since the last update of its service began. False if there was no update.

    Swarm notes an update of a service only if it replaces tasks.
    """
    began = (service.get("UpdateStatus") or {}).get("StartedAt")
    return began is not None and state_since(task) >= parse_time(began)


def _was_killed(task: Json) -> bool:
    """Return whether the task may write to a volume, and was killed because it did not stop in its grace period."""
    return was_killed(task) and not is_oom_killed(task) and _writes_to_volume(task["Spec"].get("ContainerSpec") or {})


def was_killed(task: Json) -> bool:
    """Return whether Swarm stopped the task, and its container ended by SIGKILL, whoever sent that."""
    status = (task.get("Status") or {}).get("ContainerStatus") or {}
    return state_of(task) == "shutdown" and status.get("ExitCode") == _KILLED


def _exit_codes(events: Iterable[Json]) -> Mapping[str, set[int]]:
    """Return the exit codes of ended containers by the full name of their service. An event without a code gives -1.

    Containers that the kernel killed because memory ran out are left out.
    """
    events = tuple(events)
    starved_ids = {_id(event) for event in events if event.get("Action") == "oom"}
    codes: dict[str, set[int]] = {}
    for event in events:
        if event.get("Action") == "die" and _id(event) not in starved_ids:
            code = event_attributes(event).get("exitCode", "")
            codes.setdefault(event_attributes(event).get(SERVICE_NAME, ""), set()).add(
                int(code) if code.isdecimal() else -1
            )
    return codes


def exit_codes(events: Iterable[Json]) -> Mapping[str, int]:
    """Return the exit codes with which containers ended, as {FULL NAME OF THE SERVICE: GREATEST CODE}.

    `events` are the "die" and "oom" events of the containers. Containers that the kernel killed because memory ran out
    are left out. Services of which no exit code is known are left out too.
    """
    found = {name: max(codes) for name, codes in _exit_codes(events).items()}
    return {name: code for name, code in found.items() if name and code >= 0}


def _id(event: Json) -> str:
    return str((event.get("Actor") or {}).get("ID", ""))


def _container(service: Json) -> Json:
    spec: Json = service["Spec"]["TaskTemplate"]["ContainerSpec"]
    return spec


def _grace_text(container: Json) -> str:
    return f"{_grace(container).total_seconds():g} s"


def _grace(container: Json) -> timedelta:
    nanoseconds = container.get("StopGracePeriod")
    return timedelta(microseconds=(DEFAULT_GRACE if nanoseconds is None else nanoseconds) / 1000)


def _writes_to_volume(container: Json) -> bool:
    mounts = container.get("Mounts") or ()
    return any(mount.get("Type") == "volume" and not mount.get("ReadOnly") for mount in mounts)
