"""Escapes, aligns and colours text, for a terminal or a file."""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Final

from attrs import frozen

from reconciler.show.escape import escape, shorten, width


class Style(Enum):
    """The style of a text. Its value is the number in the terminal's escape sequence; "" for no style."""

    PLAIN = ""
    STRONG = "1"
    FAINT = "2"
    BAD = "31"
    GOOD = "32"
    WARN = "33"
    DOING = "36"


@frozen
class Screen:
    """Where text is shown. `width` is the number of columns; it is None for a file: nothing is cut there."""

    width: int | None = None
    colour: bool = False


@frozen
class Cell:
    """One field of a table. Its text is not escaped yet."""

    text: str
    style: Style = Style.PLAIN


PLAIN: Final = Screen()
GAP: Final = "  "
NOTHING: Final = "-"
"""The text of a cell that has nothing to show."""


def screen_for(columns: int | None, environ: Mapping[str, str], *, no_color: bool) -> Screen:
    """Return the Screen for a stream. `columns` is the width of the terminal; None if the stream is no terminal.

    Colours are used only on a terminal. There are none if `no_color` (the option) is True, if the environment variable
    NO_COLOR is not empty, or if TERM is "dumb".
    """
    plain = no_color or bool(environ.get("NO_COLOR")) or environ.get("TERM") == "dumb"
    return Screen(columns, colour=columns is not None and not plain)


def paint(text: str, style: Style, screen: Screen) -> str:
    """Return `text` escaped and, if the screen has colours, in the style."""
    return _coloured(escape(text), style, screen)


def align(
    header: Sequence[str], rows: Sequence[Sequence[Cell]], screen: Screen, last_width: int | None = None
) -> list[str]:
    """Return the lines of a table. The first has the titles in `header`. All texts are escaped.

    The last column is cut to `last_width` columns of a terminal; None for no limit.
    """
    lines = [[Cell(title, Style.STRONG) for title in header], *rows]
    widths = [max(width(escape(row[index].text)) for row in lines) for index in range(len(header))]
    return [_line(row, widths, screen, last_width) for row in lines]


def room_left(header: Sequence[str], rows: Sequence[Sequence[Cell]], screen: Screen) -> int | None:
    """Return how many columns of a terminal are left for one more column of a table; None if there is no limit."""
    if screen.width is None:
        return None
    widest = [
        max([width(title), *(width(escape(row[index].text)) for row in rows)]) for index, title in enumerate(header)
    ]
    return max(screen.width - sum(widest) - len(GAP) * len(widest), 0)


def _line(row: Sequence[Cell], widths: Sequence[int], screen: Screen, last_width: int | None) -> str:
    """Return one line of a table. Cells are padded to `widths`, and the last one is cut to `last_width`."""
    *others, last = row
    padded = [_padded(cell, columns, screen) for cell, columns in zip(others, widths, strict=False)]
    text = escape(last.text) if last_width is None else shorten(last.text, last_width)
    return GAP.join([*padded, _coloured(text, last.style, screen)]).rstrip(" ")


def _padded(cell: Cell, columns: int, screen: Screen) -> str:
    """Return the text of a cell, escaped and coloured, and filled with spaces up to `columns` columns."""
    text = escape(cell.text)
    return _coloured(text, cell.style, screen) + " " * (columns - width(text))


def _coloured(escaped: str, style: Style, screen: Screen) -> str:
    """Return an escaped text in the style, by the terminal's escape sequences, if the screen has colours."""
    if not screen.colour or style is Style.PLAIN or not escaped:
        return escaped
    return f"\x1b[{style.value}m{escaped}\x1b[0m"
