"""Removes a stack, and waits until its objects are gone: Docker's commands return long before."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from attrs import frozen

from reconciler.host.readiness.polling import poll
from reconciler.host.swarm.engine.connection import Json
from reconciler.host.swarm.engine.engine import Engine, id_of
from reconciler.host.swarm.engine.event_stream import event_attributes
from reconciler.host.swarm.recipe.stack import NAMESPACE, SLOT, STATE

# All kinds of objects of a stack or a slot, in the order of removal: containers use volumes, and tasks use networks.
KINDS = ("service", "container", "network", "volume", "secret", "config", "image")
# The kinds that must be gone before a kind is removed. Swarm itself removes the containers of tasks; containers that
# copy volumes are ours. A network must not be removed while containers on it still stop. Swarm would give its number
# (VNI) to a new network, which the engine cannot join yet: "error creating vxlan interface: file exists".
_BEFORE = {"container": frozenset({"service"}), "network": frozenset({"service", "container"})}
_REMOVE_SECONDS = 120.0

# By kind: the ids of objects, or their JSON.
Objects = Mapping[str, tuple[str, ...]]
MarkedObjects = Mapping[str, Sequence[Json]]


@frozen
class LabelSelector:
    """Selects Docker objects by labels. A label is a text "NAME=VALUE".

    * `label`: objects with this label are selected.
    * `stacks`: containers with one of these labels are selected too, whatever `state` is.
    * `state`: the id of a state folder. Objects with `label` that have the id of another state folder are not selected.
      Objects without an id are selected: they may come from old versions of Canon. With None, the id does not matter.
    """

    label: str
    stacks: tuple[str, ...] = ()
    state: str | None = None

    def has_container_of(self, event: Json) -> bool:
        """Return whether an event of the engine is about a container with one of the labels of this selector."""
        attributes = event_attributes(event)
        wanted = (label.partition("=") for label in (self.label, *self.stacks))
        return any(attributes.get(name) == value for name, _, value in wanted)


def list_objects(engine: Engine, selector: LabelSelector, kinds: Iterable[str] = KINDS) -> Objects:
    """Return the ids of the selected objects, by kind, such as "volume". Kinds without objects are left out.

    Only the kinds `kinds` are looked for.
    """
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


def slot_marks(objects: MarkedObjects, state: str) -> tuple[str, ...]:
    """Return the marks of all slots to which Docker objects belong, sorted. `objects` has their JSON by kind.

    Objects of other state folders are left out. `state` is the id of our own state folder.
    """
    items = [item for items in objects.values() for item in items if is_of_state(item, state)]
    return tuple(sorted({mark_of(item) for item in items} - {""}))


def mark_of(item: Json) -> str:
    """Return the mark of the slot to which a Docker object belongs; "" if it belongs to none."""
    return _label(item, SLOT)


def state_of(item: Json) -> str:
    """Return the id of the state folder to which a Docker object belongs; "" if it has none."""
    return _label(item, STATE)


def is_of_state(item: Json, state: str) -> bool:
    """Return whether a Docker object belongs to the state folder with the id `state`.

    Return True also for an object without the id of a state folder: it may come from an old version of Canon.
    """
    return state_of(item) in {"", state}


def _label(item: Json, name: str) -> str:
    """Return the value of the label `name` of a Docker object; "" if the object does not have the label.

    Where labels are in the JSON depends on the kind of object.
    """
    for holder in (item, item.get("Spec") or {}, item.get("Config") or {}):
        labels = holder.get("Labels") or {}
        if name in labels:
            return str(labels[name])
    return ""


def select_stack(stack: str) -> LabelSelector:
    return LabelSelector(f"{NAMESPACE}={stack}")


def remove_slot(engine: Engine, mark: str) -> tuple[str, ...]:
    """Remove the objects of the slot with the mark `mark`, and the containers of its stacks. Wait until they are gone.

    Some containers have no mark, and are found by the name of their stack. Objects of another state folder stay. If a
    stack has such objects, its containers without a mark stay too. Return the objects that are still there after two
    minutes (_REMOVE_SECONDS), as "KIND ID"; () if all are gone.
    """
    items = [item for kind in KINDS for item in engine.find(kind, f"label={SLOT}={mark}")]
    own = {_label(item, NAMESPACE) for item in items if is_of_state(item, engine.state)}
    others = {_label(item, NAMESPACE) for item in items if not is_of_state(item, engine.state)}
    if not own:
        return ()
    stacks = tuple(f"{NAMESPACE}={stack}" for stack in sorted(own - others - {""}))
    return remove_objects(engine, LabelSelector(f"{SLOT}={mark}", stacks, engine.state))


def remove_objects(engine: Engine, selector: LabelSelector) -> tuple[str, ...]:
    """Remove the selected objects, and wait at most two minutes (_REMOVE_SECONDS) until they are gone.

    Return the objects that are still there then, as "KIND ID"; () if all are gone.
    """
    left = list_objects(engine, selector)
    if not left:
        return ()
    with engine.follow(selector.has_container_of, datetime.now(UTC), _REMOVE_SECONDS) as events:

        def remove_all() -> Objects:
            nonlocal left
            for kind, names in left.items():
                if not _BEFORE.get(kind, frozenset()) & left.keys():
                    engine.remove(kind, names)
            # A command of a dead pass may still create objects of a kind that is gone: list all kinds once more.
            left = list_objects(engine, selector, left) or list_objects(engine, selector)
            return left

        poll(remove_all, lambda left: not left, _REMOVE_SECONDS, events.pauses(), sleep=events.wait)
    return tuple(f"{kind} {name}" for kind, names in left.items() for name in names)
