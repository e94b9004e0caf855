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
    """Where text is shown: a terminal or a file.

    * `width`: the number of columns of the terminal; None for a file, in which nothing is cut.
    * `colour`: True if the text has colours.
    """

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
    """Return the Screen for an output stream.

    * `columns`: the width of the terminal; None if the stream is no terminal.
    * `environ`: the environment variables.
    * `no_color`: True if the option --no-color was given.

    The screen has colours if the stream is a terminal, unless `no_color` is True, the variable NO_COLOR is not empty,
    or TERM is "dumb".
    """
    plain = no_color or bool(environ.get("NO_COLOR")) or environ.get("TERM") == "dumb"
    return Screen(columns, colour=columns is not None and not plain)


def paint(text: str, style: Style, screen: Screen) -> str:
    """Return `text` escaped and, if the screen has colours, in the style `style`."""
    return _coloured(escape(text), style, screen)


def align(
    header: Sequence[str], rows: Sequence[Sequence[Cell]], screen: Screen, last_width: int | None = None
) -> list[str]:
    """Return the lines of a table. The first line has the titles in `header`. All texts are escaped.

    The last cell of each line is cut to `last_width` columns of a terminal; None for no limit.
    """
    lines = [[Cell(title, Style.STRONG) for title in header], *rows]
    widths = [max(width(escape(row[index].text)) for row in lines) for index in range(len(header))]
    return [_line(row, widths, screen, last_width) for row in lines]


def room_left(header: Sequence[str], rows: Sequence[Sequence[Cell]], screen: Screen) -> int | None:
    """Return how many columns of a terminal are left beside a table. Its titles are in `header`, its cells in `rows`.

    Return None if there is no limit, because the screen is a file.
    """
    if screen.width is None:
        return None
    widest = [
        max([width(title), *(width(escape(row[index].text)) for row in rows)]) for index, title in enumerate(header)
    ]
    return max(screen.width - sum(widest) - len(GAP) * len(widest), 0)


def _line(row: Sequence[Cell], widths: Sequence[int], screen: Screen, last_width: int | None) -> str:
    """Return one line of a table. Each cell is filled with spaces to its number in `widths`.

    The last cell is not filled, but cut to `last_width` columns of a terminal; None for no limit.
    """
    *others, last = row
    padded = [_padded(cell, columns, screen) for cell, columns in zip(others, widths, strict=False)]
    text = escape(last.text) if last_width is None else shorten(last.text, last_width)
    return GAP.join([*padded, _coloured(text, last.style, screen)]).rstrip(" ")


def _padded(cell: Cell, columns: int, screen: Screen) -> str:
    """Return the text of a cell, escaped, coloured, and filled with spaces to `columns` columns of a terminal."""
    text = escape(cell.text)
    return _coloured(text, cell.style, screen) + " " * (columns - width(text))


def _coloured(escaped: str, style: Style, screen: Screen) -> str:
    """Return `escaped`, a text without control characters, in the style `style` if the screen has colours.

    The style is set by the escape sequences of terminals.
    """
    if not screen.colour or style is Style.PLAIN or not escaped:
        return escaped
    return f"\x1b[{style.value}m{escaped}\x1b[0m"
