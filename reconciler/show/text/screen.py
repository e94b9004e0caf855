"""Aligns and colours text for a terminal or a file, and escapes it."""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Final

from attrs import frozen

from reconciler.show.escape import escape, shorten, width


class Style(Enum):
    """The style of a text. The value is the number in the terminal's escape sequence for it, "" for none."""

    PLAIN = ""
    STRONG = "1"
    FAINT = "2"
    BAD = "31"
    GOOD = "32"
    WARN = "33"
    DOING = "36"


@frozen
class Screen:
    """Where text is shown. `width` is the number of columns of a terminal; None for a file: no text is cut."""

    width: int | None = None
    colour: bool = False


@frozen
class Cell:
    """One field of a table, not yet escaped."""

    text: str
    style: Style = Style.PLAIN


PLAIN: Final = Screen()
GAP: Final = "  "
NOTHING: Final = "-"
"""The text of a cell that has nothing to show."""


def screen_for(columns: int | None, environ: Mapping[str, str], *, no_color: bool) -> Screen:
    """Return the Screen for a stream. `columns` is the width of the terminal, None if the stream is no terminal.

    There are no colours if the stream is no terminal, if `no_color` (the option) is True, if the environment variable
    NO_COLOR is not empty, or if TERM is "dumb".
    """
    plain = no_color or bool(environ.get("NO_COLOR")) or environ.get("TERM") == "dumb"
    return Screen(columns, colour=columns is not None and not plain)


def paint(text: str, style: Style, screen: Screen) -> str:
    """Return `text` escaped, in `style` if the screen has colours."""
    return _coloured(escape(text), style, screen)


def align(
    header: Sequence[str], rows: Sequence[Sequence[Cell]], screen: Screen, last_width: int | None = None
) -> list[str]:
    """Return the lines of a table, the titles in `header` first. All texts are escaped.

    The last column is cut to `last_width` terminal columns; None for no limit.
    """
    lines = [[Cell(title, Style.STRONG) for title in header], *rows]
    widths = [max(width(escape(row[index].text)) for row in lines) for index in range(len(header))]
    return [_line(row, widths, screen, last_width) for row in lines]


def room_left(header: Sequence[str], rows: Sequence[Sequence[Cell]], screen: Screen) -> int | None:
    """Return how many terminal columns are left for one more column of a table; None for a screen without a limit."""
    if screen.width is None:
        return None
    widest = [
        max([width(title), *(width(escape(row[index].text)) for row in rows)]) for index, title in enumerate(header)
    ]
    return max(screen.width - sum(widest) - len(GAP) * len(widest), 0)


def _line(row: Sequence[Cell], widths: Sequence[int], screen: Screen, last_width: int | None) -> str:
    """Return one line of a table. All cells are padded to `widths` except the last, which is cut to `last_width`."""
    *others, last = row
    padded = [_padded(cell, columns, screen) for cell, columns in zip(others, widths, strict=False)]
    text = escape(last.text) if last_width is None else shorten(last.text, last_width)
    return GAP.join([*padded, _coloured(text, last.style, screen)]).rstrip(" ")


def _padded(cell: Cell, columns: int, screen: Screen) -> str:
    """Return the text of a cell, escaped and coloured, with spaces up to `columns` columns."""
    text = escape(cell.text)
    return _coloured(text, cell.style, screen) + " " * (columns - width(text))


def _coloured(escaped: str, style: Style, screen: Screen) -> str:
    """Return an escaped text with the terminal's sequences for `style`, if the screen has colours."""
    if not screen.colour or style is Style.PLAIN or not escaped:
        return escaped
    return f"\x1b[{style.value}m{escaped}\x1b[0m"
