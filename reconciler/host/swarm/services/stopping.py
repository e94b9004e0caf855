"""Waits until services of a stack have stopped, and collects how their containers ended."""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta

from attrs import define, evolve, field, frozen

from reconciler.errors import MORE_MEMORY, InfrastructureError
from reconciler.host.readiness.polling import poll
from reconciler.host.swarm.engine.connection import Json
from reconciler.host.swarm.engine.engine import Engine
from reconciler.host.swarm.engine.event_stream import EventStream
from reconciler.host.swarm.recipe.stack import NAMESPACE, Stack
from reconciler.host.swarm.services.killed_containers import (
    killed_on_stop,
    oom_killed_services,
    without_grace,
    writing_volumes,
)
from reconciler.host.swarm.services.stack_state import StackState, follow_stack, read_stack, running_containers
from reconciler.ports.app import RemovalResult

# Additional time for Swarm itself, beside the grace period of the services.
_STOP_SECONDS = 180.0


@frozen
class Stopping:
    """Services that Canon began to stop.

    * `names`: the full names of all these services.
    * `removed`: the full names of those that were removed: jobs, which cannot be stopped otherwise, and services that a
      newer release dropped. Swarm lists no tasks of them.
    * `since`: when Canon began to stop the services.
    * `grace`: the longest grace period of the services.
    """

    names: Collection[str]
    removed: Collection[str]
    since: datetime
    grace: timedelta

    @property
    def seconds(self) -> float:
        """Return how long to wait at most until the services have stopped, in seconds."""
        return self.grace.total_seconds() + _STOP_SECONDS


def follow_until_stopped(engine: Engine, stack: Stack, stopping: Stopping) -> Sequence[Json]:
    """Follow the events of the stack, and wait as `wait_until_stopped` does. Return and raise the same."""
    with follow_stack(engine, stack, stopping.since, stopping.seconds) as events:
        return wait_until_stopped(engine, stack, stopping, events)


def wait_until_stopped(engine: Engine, stack: Stack, stopping: Stopping, events: EventStream) -> Sequence[Json]:
    """Wait until none of the services in `stopping` runs. Return the "die" and "oom" events of the stack in that time.

    `events` are the events of the stack since `stopping.since`. Raise InfrastructureError if a service still runs three
    minutes (_STOP_SECONDS) after the longest grace period.
    """
    ends = _ContainerEnds(engine, stack, events, stopping.since)

    def has_stopped() -> bool:
        listed = only_services(read_stack(engine, stack), stopping.names)
        stopped = listed.is_stopped and not _has_running_container(engine, stopping.removed)
        ends.look(is_last=stopped)
        return stopped

    if not poll(has_stopped, bool, stopping.seconds, events.pauses(), sleep=events.wait):
        still_running = ", ".join(map(stack.logical, stopping.names))
        raise InfrastructureError(f"{stack.recipe}: {still_running} did not stop within {stopping.seconds:g} s")
    return ends.found


def killed_services(stack: Stack, stopped: Sequence[Json], ends: Sequence[Json]) -> RemovalResult:
    """Return which of the services `stopped` had to be killed, each as a text such as "app (10 s)".

    * `killed` of the result has the killed services that may write to a volume.
    * `without_data` of the result has the other killed services, without those whose grace period is zero.

    `ends` are the "die" and "oom" events of the containers of the services. Raise InfrastructureError if the kernel
    killed one of the services because memory ran out.
    """
    for name in oom_killed_services(full_names(stopped), ends):
        starved = f"{stack.recipe}: {stack.logical(name)} was killed because memory ran out as it stopped"
        raise InfrastructureError(starved, MORE_MEMORY)
    with_data, immediate = writing_volumes(stopped), without_grace(stopped)
    killed = {name: f"{stack.logical(name)} ({had})" for name, had in killed_on_stop(stopped, ends).items()}
    return RemovalResult(
        killed=tuple(text for name, text in killed.items() if name in with_data),
        without_data=tuple(text for name, text in killed.items() if name not in with_data | immediate),
    )


@define
class _ContainerEnds:
    """Collects the "die" and "oom" events of a stack's containers.

    The events are collected as they come, because the engine keeps only its last 256 events.
    * `events`: the stream by which they come.
    * `since`: the time at which `look` last asked the engine for events.
    * `asked`: the events that the engine answered to `look`.
    """

    engine: Engine
    stack: Stack
    events: EventStream
    since: datetime
    asked: list[Json] = field(factory=list)

    def look(self, *, is_last: bool) -> None:
        """Ask the engine for new events, and add its answer to `asked`. Do nothing while the event stream is live.

        If `is_last` is True, ask even if the stream is live: perhaps some events have not come by the stream yet.
        """
        if is_last or not self.events.is_live:
            now = datetime.now(UTC)
            self.asked += self.engine.end_events(f"{NAMESPACE}={self.stack.name}", self.since)
            self.since = now

    @property
    def found(self) -> Sequence[Json]:
        """Return all "die" and "oom" events so far. An event may be there twice."""
        return (*self.events.ends, *self.asked)


def _has_running_container(engine: Engine, removed: Collection[str]) -> bool:
    """Return whether a container of one of the removed services (full names) still runs on this host."""
    return any(running_containers(engine, name) for name in removed)


def full_names(services: Iterable[Json]) -> tuple[str, ...]:
    return tuple(service["Spec"]["Name"] for service in services)


def only_services(stack_state: StackState, names: Collection[str]) -> StackState:
    services: list[Json] = [service for service in stack_state.services if service["Spec"]["Name"] in names]
    ids = {service["ID"] for service in services}
    return evolve(
        stack_state, services=services, tasks=[task for task in stack_state.tasks if task["ServiceID"] in ids]
    )
