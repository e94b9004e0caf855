"""Removes a stack and waits until its objects are gone: Docker's commands return long before."""

import time
from collections.abc import Callable, Iterable, Mapping

from attrs import frozen

from reconciler.host.swarm.engine.engine import Engine, Json, id_of
from reconciler.host.swarm.recipe.stack import NAMESPACE, SLOT, STATE
from reconciler.host.swarm.services.stack_state import swarm_pauses

# The order of removal: containers use volumes, and tasks use networks.
_KINDS = ("service", "container", "network", "volume", "secret", "config", "image")
# The kinds that must be gone before a kind is removed. Swarm itself removes the containers of tasks; containers that
# copy volumes are ours. A network must not be removed while containers on it still stop. Swarm would give its number
# (VNI) to a new network, which the engine cannot join yet: "error creating vxlan interface: file exists".
_BEFORE = {"container": frozenset({"service"}), "network": frozenset({"service", "container"})}
_REMOVE_SECONDS = 120.0

Objects = Mapping[str, tuple[str, ...]]


@frozen
class LabelSelector:
    """Selects the objects with `label`, and the containers with one of the labels `stacks`.

    If `state` is not None, selects only objects with this id of a state folder, or without any id (from old versions).
    """

    label: str
    stacks: tuple[str, ...] = ()
    state: str | None = None


def list_objects(engine: Engine, selector: LabelSelector, kinds: Iterable[str] = _KINDS) -> Objects:
    """Return the selected objects by kind. Leaves out kinds without objects."""
    found: dict[str, tuple[str, ...]] = {}
    for kind in kinds:
        names = {*_ids_of_kind(engine, kind, selector)}
        for stack in selector.stacks if kind == "container" else ():
            names |= {*engine.list_ids(kind, f"label={stack}")}
        if names:
            found[kind] = tuple(sorted(names))
    return found


def _ids_of_kind(engine: Engine, kind: str, selector: LabelSelector) -> tuple[str, ...]:
    found = engine.find(kind, f"label={selector.label}")
    state = selector.state
    return tuple(id_of(item) for item in found if state is None or is_of_state(item, state))


def slot_marks(engine: Engine) -> tuple[str, ...]:
    """Return the marks of all slots of our state folder that have objects in the swarm or on this engine."""
    items = _items(engine, SLOT)
    return tuple(sorted({mark for item in items if is_of_state(item, engine.state) and (mark := mark_of(item))}))


def _items(engine: Engine, label: str) -> list[Json]:
    """Return the JSON of all objects with a label, of every kind."""
    return [item for kind in _KINDS for item in engine.find(kind, f"label={label}")]


def mark_of(item: Json) -> str:
    """Return the mark of the slot that an object belongs to, "" for none."""
    return _label(item, SLOT)


def is_of_state(item: Json, state: str) -> bool:
    """Whether an object belongs to the state folder with the id `state`, or has no id (from old versions)."""
    return _label(item, STATE) in {"", state}


def _label(item: Json, name: str) -> str:
    """Return the value of a label, "" for none. Its place in the JSON depends on the kind of object."""
    for holder in (item, item.get("Spec") or {}, item.get("Config") or {}):
        labels = holder.get("Labels") or {}
        if name in labels:
            return str(labels[name])
    return ""


def select_stack(stack: str) -> LabelSelector:
    return LabelSelector(f"{NAMESPACE}={stack}")


def select_slot(engine: Engine, mark: str) -> LabelSelector:
    """Select our objects with the mark of a slot, and the containers of its stacks, which have only the stack's name.

    Leaves out the containers of a stack if any object of that stack belongs to another state folder.
    """
    marked = _items(engine, f"{SLOT}={mark}")
    own = {_label(item, NAMESPACE) for item in marked if is_of_state(item, engine.state)}
    others = {_label(item, NAMESPACE) for item in marked if not is_of_state(item, engine.state)}
    stacks = tuple(f"{NAMESPACE}={stack}" for stack in sorted(own - others - {""}))
    return LabelSelector(f"{SLOT}={mark}", stacks, engine.state)


def remove_objects(
    engine: Engine, selector: LabelSelector, sleep: Callable[[float], None] = time.sleep
) -> tuple[str, ...]:
    """Remove the selected objects and wait until they are gone. Return what is left after the deadline."""
    until, pauses = time.monotonic() + _REMOVE_SECONDS, swarm_pauses()
    left = list_objects(engine, selector)
    while left:
        if time.monotonic() > until:
            return tuple(f"{kind} {name}" for kind, names in left.items() for name in names)
        for kind, names in left.items():
            if not _BEFORE.get(kind, frozenset()) & left.keys():
                engine.remove(kind, names)
        sleep(next(pauses))
        # A command of a dead pass may still create objects of a kind that is gone: list all kinds once more at the end.
        left = list_objects(engine, selector, left) or list_objects(engine, selector)
    return ()
