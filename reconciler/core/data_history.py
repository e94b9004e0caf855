"""Derives from the ledger how a recipe's data came to be: which release ran on the data of which other one."""

from collections.abc import Iterable, Sequence
from typing import Final

from attrs import evolve, frozen

from reconciler.core.events import Body, Event, text_of

_MAKES_DATA: Final = frozenset({"promoted", "rolled-back"})
COLUMNS: Final = 3
"""How many columns `with_columns` uses for data from which the present canonical does not come."""


@frozen
class DataNode:
    """The data of a recipe after one release ran on it. `parent` is the index of the node that it came from, or None.

    `generation` is the number of the canonical with this data, None for a release that only was the base of an upgrade.
    `made_by` is the event that made this generation canonical. `lineage` are all releases that ran on the data.
    `is_copy`: a rollback made it as a copy of its parent. `column` is where a picture shows it, see `with_columns`.
    """

    version: str
    lineage: tuple[str, ...]
    generation: int | None = None
    made_by: Event | None = None
    parent: int | None = None
    is_copy: bool = False
    column: int = 0


def data_history(events: Iterable[Event]) -> tuple[DataNode, ...]:
    """Return the nodes of one recipe's data, each after its parent. `events` are the recipe's own, the oldest first.

    If the recipe was forgotten, return only the nodes from the time after that.
    """
    nodes: list[DataNode] = []
    for event in events:
        if event.kind == "forgotten":
            nodes = []
        elif event.kind in _MAKES_DATA:
            _add(nodes, event)
    return with_columns(nodes)


def _add(nodes: list[DataNode], event: Event) -> None:
    """Append the node of a promotion or rollback. First append its ancestors that are no nodes yet."""
    generation = _number(event.body, "generation")
    if event.kind == "rolled-back":
        parent = _last_of_generation(nodes, _number(event.body, "copy_of"))
        lineage = nodes[parent].lineage if parent is not None else (event.version,)
        nodes.append(DataNode(event.version, lineage, generation, event, parent, is_copy=parent is not None))
        return
    lineage = _lineage(event)
    for length in range(1, len(lineage)):
        if _last_of_lineage(nodes, lineage[:length]) is None:
            before = _last_of_lineage(nodes, lineage[: length - 1])
            nodes.append(DataNode(lineage[length - 1], lineage[:length], parent=before))
    nodes.append(DataNode(event.version, lineage, generation, event, _last_of_lineage(nodes, lineage[:-1])))


def with_columns(nodes: Sequence[DataNode]) -> tuple[DataNode, ...]:
    """Return the nodes with their columns: 0 for the last node and all that it came from, else 1 to `COLUMNS`.

    Each other node is in the column of its parent. If it has no parent, or its parent is in column 0, it takes the next
    of the columns 1 to `COLUMNS` in turn.
    """
    kept = _ancestors(nodes)
    placed: list[DataNode] = []
    used = 0
    for index, node in enumerate(nodes):
        column = 0 if index in kept else placed[node.parent].column if node.parent is not None else 0
        if index not in kept and column == 0:
            column, used = used % COLUMNS + 1, used + 1
        placed.append(evolve(node, column=column))
    return tuple(placed)


def _ancestors(nodes: Sequence[DataNode]) -> set[int]:
    """Return the index of the last node, and those of all nodes that it came from."""
    found: set[int] = set()
    index = len(nodes) - 1 if nodes else None
    while index is not None:
        found.add(index)
        index = nodes[index].parent
    return found


def _lineage(event: Event) -> tuple[str, ...]:
    """Return the lineage of a promotion. If the event has none, return its own release alone."""
    value = event.body.get("lineage")
    lineage = tuple(map(str, value)) if isinstance(value, list) else ()
    return lineage or (event.version,)


def _last_of_lineage(nodes: Sequence[DataNode], lineage: tuple[str, ...]) -> int | None:
    return next((index for index in reversed(range(len(nodes))) if nodes[index].lineage == lineage), None)


def _last_of_generation(nodes: Sequence[DataNode], generation: int | None) -> int | None:
    matching = (index for index in reversed(range(len(nodes))) if nodes[index].generation == generation)
    return next(matching, None) if generation is not None else None


def _number(body: Body, key: str) -> int | None:
    text = text_of(body, key)
    return int(text) if text.isdecimal() else None
