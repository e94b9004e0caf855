"""Brings services of a stack to rest and up again, and sees that Swarm has done so."""

import time
from collections.abc import Callable, Collection, Iterator, Mapping

from attrs import evolve

from reconciler.errors import InfrastructureError, RecipeError
from reconciler.host.swarm.engine import Engine, Json
from reconciler.host.swarm.looking import Sight, look_at
from reconciler.host.swarm.settling import settling
from reconciler.host.swarm.stack import Stack

_RESTING = 180.0
_SETTLING = 600.0
_PAUSE = 0.2
_LONGEST_PAUSE = 1.0

Sleep = Callable[[float], None]


def replicas(sight: Sight, names: Collection[str]) -> Mapping[str, int]:
    """Of the replicated ones among the named services."""
    modes = {service["Spec"]["Name"]: service["Spec"].get("Mode") or {} for service in sight.services}
    return {name: int(modes[name]["Replicated"]["Replicas"]) for name in names if "Replicated" in modes[name]}


def every(sight: Sight) -> tuple[str, ...]:
    return tuple(service["Spec"]["Name"] for service in sight.services)


def scale(engine: Engine, wanted: Mapping[str, int]) -> None:
    if wanted:
        numbers = (f"{name}={number}" for name, number in wanted.items())
        engine.change("service", "scale", "--detach", *numbers, what="docker service scale")


def to_zero(engine: Engine, stack: Stack, names: Collection[str], sleep: Sleep = time.sleep) -> None:
    """Scale services to zero; what runs once on every node cannot be scaled, and is removed instead.

    Raises InfrastructureError where one does not come to rest.
    """
    sight = look_at(engine, stack)
    scaled = replicas(sight, names)
    scale(engine, dict.fromkeys(scaled, 0))
    engine.drop("service", [name for name in names if name not in scaled])
    until, pauses = time.monotonic() + _RESTING, _pauses()
    while not _only(look_at(engine, stack), names).at_rest:
        if time.monotonic() > until:
            raise InfrastructureError(f"{stack.recipe}: {', '.join(map(stack.logical, names))} would not come to rest")
        sleep(next(pauses))


def await_settled(engine: Engine, stack: Stack, names: Collection[str], sleep: Sleep = time.sleep) -> None:
    """Raises RecipeError where the named services do not come up, InfrastructureError where the host is to blame."""
    until, pauses = time.monotonic() + _SETTLING, _pauses()
    while lacks := _lacks(engine, stack, names):
        if time.monotonic() > until:
            raise RecipeError(f"{stack.recipe} does not come up again: {lacks}")
        sleep(next(pauses))


def _pauses() -> Iterator[float]:
    """Seconds between two looks, each of which is four commands: longer and longer."""
    pause = _PAUSE
    while True:
        yield pause
        pause = min(1.5 * pause, _LONGEST_PAUSE)


def _lacks(engine: Engine, stack: Stack, names: Collection[str]) -> str:
    sight = _only(look_at(engine, stack), names)
    how = settling(sight.services, sight.tasks, f"{stack.name}_", sight.now)
    if isinstance(how.failure, InfrastructureError):
        raise how.failure
    if how.failure is not None:
        raise RecipeError(f"{stack.recipe} does not come up again: {how.failure.message}")
    return how.lacks


def _only(sight: Sight, names: Collection[str]) -> Sight:
    services: list[Json] = [service for service in sight.services if service["Spec"]["Name"] in names]
    ids = {service["ID"] for service in services}
    return evolve(sight, services=services, tasks=[task for task in sight.tasks if task["ServiceID"] in ids])
