"""Takes a stack away, and sees that Swarm really let go: its commands return long before."""

import time
from collections.abc import Callable, Iterable, Mapping

from attrs import frozen

from reconciler.host.swarm.engine.engine import Engine, Json
from reconciler.host.swarm.recipe.stack import NAMESPACE, SLOT, STATE
from reconciler.host.swarm.services.stack_state import swarm_pauses

# In this order each can go: a volume is held by containers, a network by tasks.
_KINDS = ("service", "container", "network", "volume", "secret", "config", "image")
# What has to be gone before a kind is removed. Swarm removes containers of tasks; those of a volume's copy are ours.
# It would also remove a network under containers that still stop, and give its number (VNI) to the next one at once,
# which the engine cannot join until the old one is gone: "error creating vxlan interface: file exists".
_BEFORE = {"container": frozenset({"service"}), "network": frozenset({"service", "container"})}
_REMOVE_SECONDS = 120.0

Objects = Mapping[str, tuple[str, ...]]


@frozen
class LabelSelector:
    """All that bears `label`, and containers that bear one of `stacks` instead.

    Where `state` is an id, and not None, only what bears that one or, being from before there were ids, none.
    """

    label: str
    stacks: tuple[str, ...] = ()
    state: str | None = None


def list_objects(engine: Engine, selector: LabelSelector, kinds: Iterable[str] = _KINDS) -> Objects:
    """By kind; kinds of which there is nothing are left out."""
    found: dict[str, tuple[str, ...]] = {}
    for kind in kinds:
        names = {*_ids_of_kind(engine, kind, selector)}
        for stack in selector.stacks if kind == "container" else ():
            names |= {*engine.list_ids(kind, f"label={stack}")}
        if names:
            found[kind] = tuple(sorted(names))
    return found


def _ids_of_kind(engine: Engine, kind: str, selector: LabelSelector) -> tuple[str, ...]:
    names = engine.list_ids(kind, f"label={selector.label}")
    if selector.state is None or not names:
        return names
    others = engine.list_ids(kind, f"label={selector.label}", f"label={STATE}")
    own = (
        engine.list_ids(kind, f"label={selector.label}", f"label={STATE}={selector.state}")
        if selector.state and others
        else ()
    )
    return tuple({*names} - {*others} | {*own})


def slot_marks(engine: Engine) -> tuple[str, ...]:
    """The marks of all slots of our state folder of which anything is left in the swarm or on this engine."""
    found = list_objects(engine, LabelSelector(SLOT, state=engine.state))
    return tuple(
        sorted(
            {mark for kind, names in found.items() for item in engine.inspect(kind, names) if (mark := mark_of(item))}
        )
    )


def mark_of(item: Json) -> str:
    """The mark of the slot to which an object belongs, "" if to none."""
    return _label(item, SLOT)


def is_of_state(item: Json, state: str) -> bool:
    """Whether an object is of the state folder with the id `state`, or from before there were ids."""
    return _label(item, STATE) in {"", state}


def _label(item: Json, name: str) -> str:
    """Docker keeps labels in a place of its own for each kind of object."""
    for holder in (item, item.get("Spec") or {}, item.get("Config") or {}):
        labels = holder.get("Labels") or {}
        if name in labels:
            return str(labels[name])
    return ""


def select_stack(stack: str) -> LabelSelector:
    return LabelSelector(f"{NAMESPACE}={stack}")


def select_slot(engine: Engine, mark: str) -> LabelSelector:
    """All of ours that bears the mark; of the containers of its stacks' tasks that is no more than the stack's name.

    A stack of which anything is another state folder's is that one's, also where something of it bears no id.
    """
    found = list_objects(engine, LabelSelector(f"{SLOT}={mark}"))
    marked = [item for kind, names in found.items() for item in engine.inspect(kind, names)]
    own = {_label(item, NAMESPACE) for item in marked if is_of_state(item, engine.state)}
    others = {_label(item, NAMESPACE) for item in marked if not is_of_state(item, engine.state)}
    stacks = tuple(f"{NAMESPACE}={stack}" for stack in sorted(own - others - {""}))
    return LabelSelector(f"{SLOT}={mark}", stacks, engine.state)


def remove_objects(
    engine: Engine, selector: LabelSelector, sleep: Callable[[float], None] = time.sleep
) -> tuple[str, ...]:
    """Remove everything of these; names what would not go."""
    until, pauses = time.monotonic() + _REMOVE_SECONDS, swarm_pauses()
    left = list_objects(engine, selector)
    while left:
        if time.monotonic() > until:
            return tuple(f"{kind} {name}" for kind, names in left.items() for name in names)
        for kind, names in left.items():
            if not _BEFORE.get(kind, frozenset()) & left.keys():
                engine.remove(kind, names)
        sleep(next(pauses))
        # Of a kind that is gone more appears only where a dead pass had something under way: all are looked for last.
        left = list_objects(engine, selector, left) or list_objects(engine, selector)
    return ()
