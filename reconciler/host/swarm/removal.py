"""Takes a stack away, and sees that Swarm really let go: its commands return long before."""

import time
from collections.abc import Callable, Mapping

from reconciler.host.swarm.engine import Engine, Json
from reconciler.host.swarm.stack import NAMESPACE, SLOT

# In this order each can go: a volume is held by containers, a network by tasks.
_KINDS = ("service", "container", "network", "volume", "secret", "config", "image")
_LETTING_GO = 120.0
_PAUSE = 0.1
_LONGEST_PAUSE = 1.0

Objects = Mapping[str, tuple[str, ...]]


def objects(engine: Engine, *labels: str) -> Objects:
    """All that bears any of these labels, by kind; kinds of which there is nothing are left out."""
    found = {
        kind: tuple(sorted({name for label in labels for name in _labelled(engine, kind, label)})) for kind in _KINDS
    }
    return {kind: names for kind, names in found.items() if names}


def marks(engine: Engine) -> tuple[str, ...]:
    """The marks of all slots of which anything is left in the swarm or on this engine."""
    found = objects(engine, SLOT)
    return tuple(
        sorted({mark for kind, names in found.items() for one in engine.inspect(kind, names) if (mark := mark_of(one))})
    )


def mark_of(one: Json) -> str:
    """The mark of the slot to which an object belongs, "" if to none."""
    return _label(one, SLOT)


def _label(one: Json, name: str) -> str:
    """Docker keeps labels in a place of its own for each kind of object."""
    for holder in (one, one.get("Spec") or {}, one.get("Config") or {}):
        labels = holder.get("Labels") or {}
        if name in labels:
            return str(labels[name])
    return ""


def of_stack(stack: str) -> tuple[str, ...]:
    return (f"{NAMESPACE}={stack}",)


def of_slot(engine: Engine, mark: str) -> tuple[str, ...]:
    """The mark, and the stacks that it is on: the containers of their tasks bear no more than the stack's name."""
    own = f"{SLOT}={mark}"
    marked = (one for kind, names in objects(engine, own).items() for one in engine.inspect(kind, names))
    stacks = {stack for one in marked if (stack := _label(one, NAMESPACE))}
    return (own, *(label for stack in sorted(stacks) for label in of_stack(stack)))


def take_away(engine: Engine, labels: tuple[str, ...], sleep: Callable[[float], None] = time.sleep) -> tuple[str, ...]:
    """Remove everything that bears one of `labels`; names what would not go."""
    until, pause = time.monotonic() + _LETTING_GO, _PAUSE
    while left := objects(engine, *labels):
        if time.monotonic() > until:
            return tuple(f"{kind} {name}" for kind, names in left.items() for name in names)
        # Containers of tasks are Swarm's to remove, those of a volume's copy are ours.
        for kind, names in left.items():
            if kind != "container" or "service" not in left:
                engine.drop(kind, names)
        sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)
    return ()


def _labelled(engine: Engine, kind: str, label: str) -> tuple[str, ...]:
    return engine.found(kind, f"label={label}")
