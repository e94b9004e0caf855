"""Align and colour text for a screen of a given width. All text is escaped here."""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Final

from attrs import frozen

from reconciler.show.escape import escape, shorten, width


class Style(Enum):
    """The style of a text; the value is its SGR parameter."""

    PLAIN = ""
    STRONG = "1"
    FAINT = "2"
    BAD = "31"
    GOOD = "32"
    WARN = "33"
    DOING = "36"


@frozen
class Screen:
    """Where text is shown. `width` is the columns of a terminal, None if it is no terminal: then no text is cut."""

    width: int | None = None
    colour: bool = False


@frozen
class Cell:
    """One field of a table, not yet escaped."""

    text: str
    style: Style = Style.PLAIN


PLAIN: Final = Screen()
GAP: Final = "  "


def screen_for(columns: int | None, environ: Mapping[str, str], *, no_color: bool) -> Screen:
    """Return the screen of a stream; `columns` is None if it is no terminal. An empty `NO_COLOR` is ignored."""
    plain = no_color or bool(environ.get("NO_COLOR")) or environ.get("TERM") == "dumb"
    return Screen(columns, colour=columns is not None and not plain)


def paint(text: str, style: Style, screen: Screen) -> str:
    """Return `text`, escaped, in `style`."""
    return _coloured(escape(text), style, screen)


def align(header: Sequence[str], rows: Sequence[Sequence[Cell]], screen: Screen, last: int | None = None) -> list[str]:
    """Return the lines of a table. `last` is the maximum width of the last column; None for no limit."""
    lines = [[Cell(title, Style.STRONG) for title in header], *rows]
    widths = [max(width(escape(row[place].text)) for row in lines) for place in range(len(header))]
    return [_line(row, widths, screen, last) for row in lines]


def room_left(header: Sequence[str], rows: Sequence[Sequence[Cell]], screen: Screen) -> int | None:
    """Return the screen columns that are free to the right of a table and a gap; None for no limit."""
    if screen.width is None:
        return None
    widest = [
        max([width(title), *(width(escape(row[place].text)) for row in rows)]) for place, title in enumerate(header)
    ]
    return max(screen.width - sum(widest) - len(GAP) * len(widest), 0)


def _line(row: Sequence[Cell], widths: Sequence[int], screen: Screen, last: int | None) -> str:
    *before, end = row
    padded = [_padded(cell, columns, screen) for cell, columns in zip(before, widths, strict=False)]
    text = escape(end.text) if last is None else shorten(end.text, last)
    return GAP.join([*padded, _coloured(text, end.style, screen)]).rstrip(" ")


def _padded(cell: Cell, columns: int, screen: Screen) -> str:
    text = escape(cell.text)
    return _coloured(text, cell.style, screen) + " " * (columns - width(text))


def _coloured(shown: str, style: Style, screen: Screen) -> str:
    if not screen.colour or style is Style.PLAIN or not shown:
        return shown
    return f"\x1b[{style.value}m{shown}\x1b[0m"
