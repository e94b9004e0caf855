"""Stops services of a stack, and starts them again. Waits until Swarm has done so."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from attrs import define, evolve, field, frozen

from reconciler.errors import MORE_MEMORY, InfrastructureError, RecipeError, TimedOutError
from reconciler.host.readiness.polling import poll
from reconciler.host.swarm.engine.connection import Json
from reconciler.host.swarm.engine.engine import Engine
from reconciler.host.swarm.engine.event_stream import EventStream
from reconciler.host.swarm.recipe.stack import NAMESPACE, Stack
from reconciler.host.swarm.services.killed_containers import (
    exit_codes,
    killed_on_stop,
    longest_grace,
    oom_killed_services,
    without_grace,
    writing_volumes,
)
from reconciler.host.swarm.services.service import NO_NODE
from reconciler.host.swarm.services.service_health import stack_health
from reconciler.host.swarm.services.stack_state import StackState, follow_stack, read_stack, running_containers
from reconciler.ports.app import RemovalResult

# Additional time for Swarm itself, beside the grace period of the services.
_STOP_SECONDS = 180.0


@frozen
class _Stopping:
    """Services that Canon began to stop.

    * `names`: the full names of all these services.
    * `jobs`: the full names of those that are jobs. They were removed, because a job cannot be stopped otherwise.
    * `since`: when Canon began to stop the services.
    * `grace`: the longest grace period of the services.
    """

    names: Collection[str]
    jobs: Collection[str]
    since: datetime
    grace: timedelta


def replica_counts(stack_state: StackState, names: Collection[str]) -> Mapping[str, int]:
    """Return how many replicas each of the services `names` has, by name. Leave out services without replicas."""
    modes = {service["Spec"]["Name"]: service["Spec"].get("Mode") or {} for service in stack_state.services}
    return {name: int(modes[name]["Replicated"]["Replicas"]) for name in names if "Replicated" in modes.get(name, {})}


def service_names(stack_state: StackState) -> tuple[str, ...]:
    return tuple(service["Spec"]["Name"] for service in stack_state.services)


def scale_services(engine: Engine, wanted: Mapping[str, int]) -> None:
    for name, number in wanted.items():
        engine.update_service(name, partial(with_replicas, number=number))


def with_replicas(spec: Json, number: int) -> Json:
    """Return a copy of `spec`, the spec of a replicated service, with this number of replicas."""
    return {**spec, "Mode": {"Replicated": {**spec["Mode"]["Replicated"], "Replicas": number}}}


def global_services(stack_state: StackState, names: Collection[str]) -> tuple[str, ...]:
    """Return the services among `names` (full names) that are global: they run once on every node."""
    found = (service["Spec"] for service in stack_state.services if "Global" in (service["Spec"].get("Mode") or {}))
    return tuple(spec["Name"] for spec in found if spec["Name"] in names)


def keep_off_nodes(engine: Engine, names: Collection[str]) -> None:
    for name in names:
        engine.update_service(name, lambda spec: with_constraints(spec, (*_constraints(spec), NO_NODE)))


def allow_on_nodes(engine: Engine, names: Collection[str]) -> None:
    """Let the global services `names`, which `keep_off_nodes` has kept off every node, run on the nodes again."""
    for name in names:
        engine.update_service(
            name, lambda spec: with_constraints(spec, [one for one in _constraints(spec) if one != NO_NODE])
        )


def with_constraints(spec: Json, constraints: Sequence[str]) -> Json:
    """Return a copy of `spec`, the spec of a service, that has these placement constraints and no others."""
    template = spec["TaskTemplate"]
    placement = {**(template.get("Placement") or {}), "Constraints": list(constraints)}
    return {**spec, "TaskTemplate": {**template, "Placement": placement}}


def _constraints(spec: Json) -> Sequence[str]:
    return (spec["TaskTemplate"].get("Placement") or {}).get("Constraints") or ()


def stop_services(engine: Engine, stack: Stack, names: Collection[str]) -> RemovalResult:
    """Stop the services `names`, and wait until they have stopped. Remove jobs, which cannot be stopped otherwise.

    `names` are full names. Replicated services are scaled to zero, and global ones kept off every node. The result has:
    * `killed`: services that the engine had to kill at the end of their grace period, and that may write to a volume.
      Each is a text such as "app (10 s)".
    * `without_data`: other services that the engine had to kill. Services without a grace period are left out.
    * `exit_codes`: the known exit codes, by the services' names in the recipe.
    * `grace`: the longest grace period.

    Raise InfrastructureError if a service still runs three minutes after the longest grace period, or if the kernel
    killed one because memory ran out.
    """
    stack_state, since = read_stack(engine, stack), datetime.now(UTC)
    stopped = _only(stack_state, names).services
    scaled, global_names = replica_counts(stack_state, names), global_services(stack_state, names)
    scale_services(engine, dict.fromkeys(scaled, 0))
    keep_off_nodes(engine, global_names)
    jobs = [name for name in names if name not in scaled and name not in global_names]
    engine.remove("service", jobs)
    ends = _wait_until_stopped(engine, stack, _Stopping(names, jobs, since, longest_grace(stopped)))
    for name in oom_killed_services(names, ends):
        starved = f"{stack.recipe}: {stack.logical(name)} was killed because memory ran out as it stopped"
        raise InfrastructureError(starved, MORE_MEMORY)
    codes = {stack.logical(name): code for name, code in exit_codes(ends).items() if name in names}
    return evolve(_killed_services(stack, stopped, ends), exit_codes=codes, grace=longest_grace(stopped))


def kill_services(engine: Engine, stack: Stack, names: Collection[str]) -> None:
    """Send SIGKILL to all containers of the services `names` on this host, and stop these services.

    `names` are full names. The services are stopped because Swarm would otherwise start new containers. Raise
    InfrastructureError if a service does not stop in time.
    """
    for container in [each for name in names for each in running_containers(engine, name)]:
        engine.kill(container)
    stop_services(engine, stack, names)


def _killed_services(stack: Stack, stopped: Sequence[Json], ends: Sequence[Json]) -> RemovalResult:
    """Return which of the services `stopped` had to be killed, each as a text such as "app (10 s)".

    * `killed` of the result has the killed services that may write to a volume.
    * `without_data` of the result has the other killed services, without those whose grace period is zero.

    `ends` are the "die" and "oom" events of the containers of the services.
    """
    with_data, immediate = writing_volumes(stopped), without_grace(stopped)
    killed = {name: f"{stack.logical(name)} ({had})" for name, had in killed_on_stop(stopped, ends).items()}
    return RemovalResult(
        killed=tuple(text for name, text in killed.items() if name in with_data),
        without_data=tuple(text for name, text in killed.items() if name not in with_data | immediate),
    )


def _wait_until_stopped(engine: Engine, stack: Stack, stopping: _Stopping) -> Sequence[Json]:
    """Wait until none of the services in `stopping` runs. Return the "die" and "oom" events of the stack in that time.

    Raise InfrastructureError if a service still runs three minutes (_STOP_SECONDS) after the longest grace period.
    """
    seconds = stopping.grace.total_seconds() + _STOP_SECONDS
    with follow_stack(engine, stack, stopping.since, seconds) as events:
        ends = _ContainerEnds(engine, stack, events, stopping.since)

        def has_stopped() -> bool:
            stopped = _only(read_stack(engine, stack), stopping.names).is_stopped and not _has_running_container(
                engine, stopping.jobs
            )
            ends.look(is_last=stopped)
            return stopped

        if not poll(has_stopped, bool, seconds, events.pauses(), sleep=events.wait):
            still_running = ", ".join(map(stack.logical, stopping.names))
            raise InfrastructureError(f"{stack.recipe}: {still_running} did not stop within {seconds:g} s")
        return ends.found


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
    """Return whether a container of one of the removed services (full names) still runs on this host.

    Swarm lists no tasks of a service that was removed.
    """
    return any(running_containers(engine, name) for name in removed)


def wait_until_up(engine: Engine, stack: Stack, names: Collection[str], within: timedelta) -> None:
    """Wait at most for the time `within` until the services `names` (full names) are up.

    Raise RecipeError if they fail, TimedOutError if they take too long, InfrastructureError for a fault of the host.
    """
    seconds = within.total_seconds()
    with follow_stack(engine, stack, datetime.now(UTC), seconds) as events:
        problem = poll(
            lambda: _pending(engine, stack, names),
            lambda pending: not pending,
            seconds,
            events.pauses(),
            sleep=events.wait,
        )
    if problem:
        raise TimedOutError(f"not up again after {seconds:g} s: {problem}")


def _pending(engine: Engine, stack: Stack, names: Collection[str]) -> str:
    stack_state = _only(read_stack(engine, stack), names)
    health = stack_health(stack_state.services, stack_state.tasks, f"{stack.name}_", stack_state.now)
    if isinstance(health.failure, InfrastructureError):
        raise health.failure
    if health.failure is not None:
        kind = TimedOutError if isinstance(health.failure, TimedOutError) else RecipeError
        raise kind(f"does not come up again: {health.failure.message}")
    return health.pending


def _only(stack_state: StackState, names: Collection[str]) -> StackState:
    services: list[Json] = [service for service in stack_state.services if service["Spec"]["Name"] in names]
    ids = {service["ID"] for service in services}
    return evolve(
        stack_state, services=services, tasks=[task for task in stack_state.tasks if task["ServiceID"] in ids]
    )
