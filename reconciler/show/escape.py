"""Escape, cut and measure text for a terminal. Text from upstream may try to control the terminal."""

import unicodedata
from typing import Final

from desired.unprintable import escape_unprintable

# Characters that are printable by their category, but invisible: Unicode's default ignorables, and the empty Braille
# pattern.
_BLANK: Final = {
    code: chr(code).encode("unicode_escape").decode("ascii")
    for first, last in ((0x180B, 0x180F), (0xFE00, 0xFE0F), (0xE0100, 0xE01EF))
    for code in (*range(first, last + 1), 0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0)
}

_TAB: Final = 8
_ELLIPSIS: Final = "…"


def escape(text: str) -> str:
    r"""Return `text` on one line. A character that is invisible or moves the cursor is escaped, as `\n` or `\x1b`.

    A backslash is not escaped, so that escaping a second time changes nothing. The JSON documents have the exact text.
    """
    return escape_unprintable(text).translate(_BLANK)


def escape_lines(text: str) -> tuple[str, ...]:
    r"""Return the escaped lines of a log. Only `\n` and `\r\n` end a line; tabs become spaces."""
    lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n")
    return tuple(escape(line.expandtabs(_TAB)) for line in lines) if text else ()


def shorten(text: str, cells: int) -> str:
    """Return `text` escaped and cut to at most `cells` columns of a terminal; a cut text ends with an ellipsis."""
    shown = escape(text)
    if width(shown) <= cells:
        return shown
    kept, used = [], width(_ELLIPSIS)
    for char in shown:
        used += width(char)
        if used > cells:
            break
        kept.append(char)
    return "".join(kept) + _ELLIPSIS if cells > 0 else ""


def width(text: str) -> int:
    """Return the number of terminal columns that the escaped `text` takes."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(char: str) -> int:
    if unicodedata.category(char) in {"Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1
