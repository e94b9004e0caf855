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
    """The data of a recipe after one release ran on it.

    * `version`: this release.
    * `lineage`: all releases that ran on the data, the oldest first.
    * `generation`: the generation that has this data; None if the release only was the base of an upgrade.
    * `made_by`: the event that made this generation the canonical; None if there is no generation.
    * `parent`: the index of the node from which the data came; None if the release was installed fresh.
    * `is_copy`: True if a rollback made the data, as a copy of its parent.
    * `column`: the column in the picture of the report page, see `with_columns`.
    """

    version: str
    lineage: tuple[str, ...]
    generation: int | None = None
    made_by: Event | None = None
    parent: int | None = None
    is_copy: bool = False
    column: int = 0


def data_history(events: Iterable[Event]) -> tuple[DataNode, ...]:
    """Return the nodes of the data of one recipe. Each comes after the node from which its data came.

    `events` are the events of the recipe, the oldest first. What happened before the recipe was last forgotten
    (`reconcile forget`) is left out.
    """
    nodes: list[DataNode] = []
    for event in events:
        if event.kind == "forgotten":
            nodes = []
        elif event.kind in _MAKES_DATA:
            _add(nodes, event)
    return with_columns(nodes)


def _add(nodes: list[DataNode], event: Event) -> None:
    """Append the node for a promotion or rollback to `nodes`.

    For a promotion, first append a node for each earlier release of its lineage, unless the release has one already.
    """
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
    """Return the nodes with their columns in the picture. The last node and all its ancestors are in column 0.

    Any other node is in the column of its parent. If it has no parent, or if the parent is in column 0, it begins a new
    column: 1, 2 and so on up to `COLUMNS`, and then 1 again.
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
    """Return the indexes of the last node and of all nodes from which its data came."""
    found: set[int] = set()
    index = len(nodes) - 1 if nodes else None
    while index is not None:
        found.add(index)
        index = nodes[index].parent
    return found


def _lineage(event: Event) -> tuple[str, ...]:
    """Return the lineage in the event of a promotion; only the promoted release if the event has no lineage."""
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
