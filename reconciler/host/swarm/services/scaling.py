"""Stops services of a stack, and starts them again. Waits until Swarm has done so."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from attrs import evolve

from reconciler.errors import InfrastructureError, RecipeError, TimedOutError
from reconciler.host.readiness.polling import poll
from reconciler.host.swarm.engine.connection import Json
from reconciler.host.swarm.engine.engine import Engine
from reconciler.host.swarm.recipe.stack import Stack
from reconciler.host.swarm.services.killed_containers import exit_codes, longest_grace
from reconciler.host.swarm.services.service import NO_NODE
from reconciler.host.swarm.services.service_health import stack_health
from reconciler.host.swarm.services.stack_state import (
    StackState,
    follow_stack,
    read_stack,
    running_containers,
    services_with_containers,
)
from reconciler.host.swarm.services.stopping import (
    Stopping,
    follow_until_stopped,
    full_names,
    killed_services,
    only_services,
)
from reconciler.ports.app import RemovalResult


def replica_counts(stack_state: StackState, names: Collection[str]) -> Mapping[str, int]:
    """Return how many replicas each of the services `names` has, by name. Leave out services without replicas."""
    modes = {service["Spec"]["Name"]: service["Spec"].get("Mode") or {} for service in stack_state.services}
    return {name: int(modes[name]["Replicated"]["Replicas"]) for name in names if "Replicated" in modes.get(name, {})}


def service_names(stack_state: StackState) -> tuple[str, ...]:
    return full_names(stack_state.services)


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

    `names` are full names. Replicated services are scaled to zero, and global ones kept off every node. Containers of
    services that a deployment has dropped from the stack are waited for too. The result has:
    * `killed`: services that the engine had to kill at the end of their grace period, and that may write to a volume.
      Each is a text such as "app (10 s)".
    * `without_data`: other services that the engine had to kill. Services without a grace period are left out.
    * `exit_codes`: the known exit codes, by the services' names in the recipe.
    * `grace`: the longest grace period.

    Raise InfrastructureError if a service still runs three minutes after the longest grace period, or if the kernel
    killed one because memory ran out.
    """
    running = services_with_containers(engine, stack)
    stack_state, since = read_stack(engine, stack), datetime.now(UTC)
    dropped = running - {*service_names(stack_state)}
    stopped = only_services(stack_state, names).services
    scaled, global_names = replica_counts(stack_state, names), global_services(stack_state, names)
    scale_services(engine, dict.fromkeys(scaled, 0))
    keep_off_nodes(engine, global_names)
    jobs = [name for name in names if name not in scaled and name not in global_names]
    engine.remove("service", jobs)
    waits_for = Stopping((*names, *dropped), (*jobs, *dropped), since, longest_grace(stopped))
    ends = follow_until_stopped(engine, stack, waits_for)
    codes = {stack.logical(name): code for name, code in exit_codes(ends).items() if name in names}
    return evolve(killed_services(stack, stopped, ends), exit_codes=codes, grace=longest_grace(stopped))


def kill_services(engine: Engine, stack: Stack, names: Collection[str]) -> None:
    """Send SIGKILL to all containers of the services `names` on this host, and stop these services.

    `names` are full names. The services are stopped because Swarm would otherwise start new containers. Raise
    InfrastructureError if a service does not stop in time.
    """
    for container in [each for name in names for each in running_containers(engine, name)]:
        engine.kill(container)
    stop_services(engine, stack, names)


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
    stack_state = only_services(read_stack(engine, stack), names)
    health = stack_health(stack_state.services, stack_state.tasks, f"{stack.name}_", stack_state.now)
    if isinstance(health.failure, InfrastructureError):
        raise health.failure
    if health.failure is not None:
        kind = TimedOutError if isinstance(health.failure, TimedOutError) else RecipeError
        raise kind(f"does not come up again: {health.failure.message}")
    return health.pending
