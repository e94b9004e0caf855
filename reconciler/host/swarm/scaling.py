"""Brings services of a stack to rest and up again, and sees that Swarm has done so."""

import time
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta

from attrs import evolve

from reconciler.errors import InfrastructureError, RecipeError, TimedOutError
from reconciler.host.swarm.engine import Engine, Json
from reconciler.host.swarm.looking import Sight, look_at, pauses
from reconciler.host.swarm.service import NO_NODE
from reconciler.host.swarm.settling import settling
from reconciler.host.swarm.stack import Stack

_RESTING = 180.0

Sleep = Callable[[float], None]


def replicas(sight: Sight, names: Collection[str]) -> Mapping[str, int]:
    """Of the replicated ones among the named services."""
    modes = {service["Spec"]["Name"]: service["Spec"].get("Mode") or {} for service in sight.services}
    return {name: int(modes[name]["Replicated"]["Replicas"]) for name in names if "Replicated" in modes.get(name, {})}


def every(sight: Sight) -> tuple[str, ...]:
    return tuple(service["Spec"]["Name"] for service in sight.services)


def scale(engine: Engine, wanted: Mapping[str, int]) -> None:
    if wanted:
        numbers = (f"{name}={number}" for name, number in wanted.items())
        engine.change("service", "scale", "--detach", *numbers, what="docker service scale")


def everywhere(sight: Sight, names: Collection[str]) -> tuple[str, ...]:
    """Those among the named services that run once on every node."""
    found = (service["Spec"] for service in sight.services if "Global" in (service["Spec"].get("Mode") or {}))
    return tuple(spec["Name"] for spec in found if spec["Name"] in names)


def place(engine: Engine, verb: str, names: Collection[str]) -> None:
    """Keep services off every node, `verb` add, or let them come back: rm."""
    for name in names:
        words = ("service", "update", "--detach", "--quiet", f"--constraint-{verb}", NO_NODE, name)
        engine.change(*words, what="docker service update")


def to_zero(engine: Engine, stack: Stack, names: Collection[str], sleep: Sleep = time.sleep) -> None:
    """Scale services to zero, or keep them off every node; jobs, which can be neither, are removed.

    Raises InfrastructureError where one does not come to rest.
    """
    sight = look_at(engine, stack)
    scaled, spread = replicas(sight, names), everywhere(sight, names)
    scale(engine, dict.fromkeys(scaled, 0))
    place(engine, "add", spread)
    jobs = [name for name in names if name not in scaled and name not in spread]
    engine.drop("service", jobs)
    until, growing = time.monotonic() + _RESTING, pauses()
    while not _only(look_at(engine, stack), names).at_rest or _runs_on(engine, jobs):
        if time.monotonic() > until:
            raise InfrastructureError(f"{stack.recipe}: {', '.join(map(stack.logical, names))} would not come to rest")
        sleep(next(growing))


def _runs_on(engine: Engine, removed: Collection[str]) -> bool:
    """Whether a container of services that are gone is still up: Swarm no longer tells of their tasks."""
    chosen = [f"label=com.docker.swarm.service.name={name}" for name in removed]
    return any(engine.found("container", one, "status=running") for one in chosen)


def await_settled(
    engine: Engine, stack: Stack, names: Collection[str], within: timedelta, sleep: Sleep = time.sleep
) -> None:
    """Raises RecipeError where the named services do not come up, TimedOutError where they do not so in time.

    Raises InfrastructureError where the host is to blame.
    """
    seconds = within.total_seconds()
    until, growing = time.monotonic() + seconds, pauses()
    while lacks := _lacks(engine, stack, names):
        if time.monotonic() > until:
            raise TimedOutError(f"not up again after {seconds:g} s: {lacks}")
        sleep(next(growing))


def _lacks(engine: Engine, stack: Stack, names: Collection[str]) -> str:
    sight = _only(look_at(engine, stack), names)
    how = settling(sight.services, sight.tasks, f"{stack.name}_", sight.now)
    if isinstance(how.failure, InfrastructureError):
        raise how.failure
    if how.failure is not None:
        kind = TimedOutError if isinstance(how.failure, TimedOutError) else RecipeError
        raise kind(f"does not come up again: {how.failure.message}")
    return how.lacks


def _only(sight: Sight, names: Collection[str]) -> Sight:
    services: list[Json] = [service for service in sight.services if service["Spec"]["Name"] in names]
    ids = {service["ID"] for service in services}
    return evolve(sight, services=services, tasks=[task for task in sight.tasks if task["ServiceID"] in ids])
