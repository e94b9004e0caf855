"""The picture of a recipe's data: each release that ran on it, from which other it came, and what was left."""

from collections.abc import Sequence
from typing import Final

from attrs import frozen

from reconciler.core.data_history import DataNode
from reconciler.show.quantities import moment

ROW: Final = 24
_COLUMN: Final = 20
_LEFT: Final = 10


@frozen
class LineageDot:
    """One release that ran on the data, at a place in pixels. `note` says how its data came to be.

    `is_left`: its data is no longer part of the canonical's. `is_last`: it is the canonical.
    """

    x: int
    y: int
    version: str
    note: str
    is_left: bool
    is_last: bool


@frozen
class LineagePicture:
    """The picture, in pixels. `text_x` is where the words begin. `dots` are the releases, the oldest first.

    `path` has the lines from each release to the one whose data it got, as SVG writes them; `copy_path` has those of
    rollbacks. `earlier` is how many older releases are not drawn. `text` is the canonical's lineage in words.
    """

    height: int
    text_x: int
    dots: tuple[LineageDot, ...]
    path: str
    copy_path: str
    earlier: int
    text: str


def lineage_picture(nodes: Sequence[DataNode], most: int) -> LineagePicture | None:
    """Return the picture of the last `most` of the nodes, the oldest at the top; None if there are no nodes."""
    if not nodes:
        return None
    first = max(len(nodes) - most, 0)
    shown = nodes[first:]
    return LineagePicture(
        height=ROW * len(shown) + 4,
        text_x=_x(max(node.column for node in shown)) + 16,
        dots=tuple(_dot(node, row, is_last=node is nodes[-1]) for row, node in enumerate(shown)),
        path=_path(nodes, first, is_copy=False),
        copy_path=_path(nodes, first, is_copy=True),
        earlier=first,
        text=" → ".join(nodes[-1].lineage),
    )


def _path(nodes: Sequence[DataNode], first: int, *, is_copy: bool) -> str:
    """Return the lines from each node to its parent, as SVG writes them.

    `is_copy`: of the nodes that a rollback made; else of all others. `first` is the index of the first node that is
    drawn: lines to older nodes are left out.
    """
    lines = (
        f"M{_x(nodes[node.parent].column)} {_y(node.parent - first)}L{_x(node.column)} {_y(index - first)}"
        for index, node in enumerate(nodes)
        if node.parent is not None and node.parent >= first and node.is_copy is is_copy
    )
    return "".join(lines)


def _dot(node: DataNode, row: int, *, is_last: bool) -> LineageDot:
    return LineageDot(_x(node.column), _y(row), node.version, _note(node), node.column > 0, is_last)


def _note(node: DataNode) -> str:
    """Return how a node came to be: the number of its generation and the day; or "base of an upgrade"."""
    if node.made_by is None:
        return "base of an upgrade"
    how = ", by rollback" if node.is_copy else ""
    return f"generation {node.generation}, {moment(node.made_by.at)[:10]}{how}"


def _x(column: int) -> int:
    return _LEFT + _COLUMN * column


def _y(row: int) -> int:
    return ROW * row + ROW // 2 + 2
