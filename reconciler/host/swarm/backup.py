"""Takes a backup, and brings one back, as the recipe's own labels ask for it."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from reconciler.errors import InfrastructureError, RecipeError
from reconciler.host.swarm import scaling
from reconciler.host.swarm.backup_labels import Asked, Hook, asked_for, labels_of, mounting
from reconciler.host.swarm.engine import Engine
from reconciler.host.swarm.looking import Sight, look_at
from reconciler.host.swarm.stack import Stack
from reconciler.host.swarm.volumes import load_paths, save_paths, volumes_of
from reconciler.host.text import one_line

_HOOK_SECONDS = 1800.0

Sleep = Callable[[float], None]


def is_asked_for(engine: Engine, stack: Stack) -> bool:
    """Whether a label asks for a backup; services tell it at rest too."""
    return _asked(engine, stack, look_at(engine, stack)) is not None


def take(engine: Engine, stack: Stack, into: Path) -> tuple[str, ...]:
    """Returns remarks. The app stays up."""
    asked = _wanted(engine, stack, look_at(engine, stack))
    run_hooks(engine, stack, asked.of("backup.pre-hook"))
    save_paths(engine, stack, asked.paths, into)
    run_hooks(engine, stack, asked.of("backup.post-hook"))
    return tuple(f"the label {label} is of version 1, and ignored" for label in asked.ignored)


def bring_back(engine: Engine, stack: Stack, source: Path, sleep: Sleep = time.sleep) -> None:
    """Services that bear hooks of a restore stay up for them; all others rest, since their data changes under them.

    One with hooks whose volume is wholly replaced rests while that is copied.
    """
    sight = look_at(engine, stack)
    asked = _wanted(engine, stack, sight)
    _refuse_what_cannot_rest(stack, sight, asked)
    run_hooks(engine, stack, asked.of("restore.pre-hook"))
    hooked = {f"{stack.name}_{hook.service}" for hook in asked.hooks if hook.label.startswith("restore.")}
    replaced = hooked & {*mounting(sight.services, stack, asked.whole)}
    every = scaling.replicas(sight, scaling.every(sight))
    replicas = {name: count for name, count in every.items() if name not in hooked or name in replaced}
    scaling.to_zero(engine, stack, replicas, sleep)
    load_paths(engine, stack, asked.paths, source)
    scaling.scale(engine, {name: count for name, count in replicas.items() if name in replaced})
    scaling.await_settled(engine, stack, hooked, sleep)
    run_hooks(engine, stack, asked.of("restore.post-hook"))
    scaling.scale(engine, {name: count for name, count in replicas.items() if name not in replaced})
    scaling.await_settled(engine, stack, scaling.every(sight), sleep)


def _refuse_what_cannot_rest(stack: Stack, sight: Sight, asked: Asked) -> None:
    """Only what is replicated can be scaled to zero and back: the rest would run on under its new data."""
    scalable = scaling.replicas(sight, scaling.every(sight))
    for name in mounting(sight.services, stack, frozenset(asked.paths)):
        if name not in scalable:
            raise InfrastructureError(
                f"{stack.logical(name)} has data that is brought back, and runs once on every node, so it cannot rest",
                'declare [backup] restore for it, or why it does not apply: [tiers] restore = "…"',
            )


def _wanted(engine: Engine, stack: Stack, sight: Sight) -> Asked:
    asked = _asked(engine, stack, sight)
    if asked is None:
        raise RecipeError(f"{stack.recipe}: no label asks for a backup any more")
    return asked


def _asked(engine: Engine, stack: Stack, sight: Sight) -> Asked | None:
    return asked_for(labels_of(sight.services, stack), [stack.logical(name) for name in volumes_of(engine, stack)])


def run_hooks(engine: Engine, stack: Stack, hooks: Sequence[Hook]) -> None:
    """Raises RecipeError for one that fails, and where nothing of its service runs here."""
    for hook in hooks:
        service = f"{stack.name}_{hook.service}"
        chosen = f"label=com.docker.swarm.service.name={service}"
        containers = engine.found("container", chosen, "status=running")
        if not containers:
            raise RecipeError(f"{hook.label}: nothing of {hook.service} runs here")
        code, said = engine.execute(containers[0], ("sh", "-c", hook.command), _HOOK_SECONDS)
        if code != 0:
            what = f"{hook.label} of {hook.service} ({one_line(hook.command.encode(), 80)})"
            how = "was not done in time" if code is None else f"exited {code}"
            raise RecipeError(f"{what} {how}: {one_line(said)}")
