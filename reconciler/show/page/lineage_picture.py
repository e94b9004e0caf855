"""Draws the picture of a recipe's data: each release that ran on it, and from which other release its data came."""

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
    """One release in the picture of a recipe's data, as a dot.

    * `x`, `y`: the place of the dot, in pixels. `x` is 0 in the first column, and `y` is counted from the top.
    * `note`: how the data of this release came to be.
    * `is_left`: True if this release was left behind, as after a rollback: the canonical's data does not come from it.
    * `is_last`: True if this release is the canonical.
    """

    x: int
    y: int
    version: str
    note: str
    is_left: bool
    is_last: bool


@frozen
class LineagePicture:
    """The picture of a recipe's data: which releases ran on it. Sizes and places are in pixels.

    * `height`: the height of the picture.
    * `dots_x`: where the first column of dots is.
    * `text_x`: where the words beside the dots begin.
    * `dots`: the releases, the oldest first.
    * `path`: lines in SVG's notation: each joins a release with the release from which its data came.
    * `copy_path`: such lines to data that a rollback made as a copy. They are not in `path`.
    * `earlier`: how many older releases are not drawn.
    * `text`: the canonical's lineage as text: "1.0.0 → 1.1.0".
    """

    height: int
    dots_x: int
    text_x: int
    dots: tuple[LineageDot, ...]
    path: str
    copy_path: str
    earlier: int
    text: str


def lineage_picture(nodes: Sequence[DataNode], most: int) -> LineagePicture | None:
    """Return the picture of a recipe's data; None if `nodes` is empty.

    `nodes` are the releases that ran on the data, the oldest first. Only the last `most` nodes are drawn, with the
    oldest at the top.
    """
    if not nodes:
        return None
    first = max(len(nodes) - most, 0)
    shown = nodes[first:]
    return LineagePicture(
        height=ROW * len(shown) + 4,
        dots_x=_LEFT,
        text_x=_x(max(node.column for node in shown)) + 16,
        dots=tuple(_dot(node, row, is_last=node is nodes[-1]) for row, node in enumerate(shown)),
        path=_path(nodes, first, is_copy=False),
        copy_path=_path(nodes, first, is_copy=True),
        earlier=first,
        text=" → ".join(nodes[-1].lineage),
    )


def _path(nodes: Sequence[DataNode], first: int, *, is_copy: bool) -> str:
    """Return lines in SVG's notation: each joins a node with its parent, the node from which its data came.

    * `first`: the index of the first node that is drawn. A line to a node before the first is left out.
    * `is_copy`: True to join only the nodes that a rollback made; False to join only the other nodes.
    """
    lines = (
        f"M{_x(nodes[node.parent].column)} {_y(node.parent - first)}L{_x(node.column)} {_y(index - first)}"
        for index, node in enumerate(nodes)
        if node.parent is not None and node.parent >= first and node.is_copy is is_copy
    )
    return "".join(lines)


def _dot(node: DataNode, row: int, *, is_last: bool) -> LineageDot:
    return LineageDot(_COLUMN * node.column, _y(row), node.version, _note(node), node.column > 0, is_last)


def _note(node: DataNode) -> str:
    """Return a text on how a node came to be: "generation 3, 2026-11-24", or "base of an upgrade"."""
    if node.made_by is None:
        return "base of an upgrade"
    how = ", by rollback" if node.is_copy else ""
    return f"generation {node.generation}, {moment(node.made_by.at)[:10]}{how}"


def _x(column: int) -> int:
    return _LEFT + _COLUMN * column


def _y(row: int) -> int:
    return ROW * row + ROW // 2 + 2
