"""Escapes, cuts and measures text for a terminal, since text from upstream may contain control sequences."""

import unicodedata
from functools import lru_cache
from itertools import accumulate, islice
from typing import Final

from desired.unprintable import escape_unprintable

# Characters that Python calls printable although they are invisible: those that Unicode calls default ignorable, and
# the empty Braille pattern.
_BLANK: Final = {
    code: chr(code).encode("unicode_escape").decode("ascii")
    for first, last in ((0x180B, 0x180F), (0xFE00, 0xFE0F), (0xE0100, 0xE01EF))
    for code in (*range(first, last + 1), 0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0)
}

_TAB: Final = 8
_ELLIPSIS: Final = "…"


def escape(text: str) -> str:
    r"""Return `text` on one line: invisible characters and control characters become text such as `\n` or `\x1b`.

    Backslashes stay as they are, so a text that is escaped already does not change.
    """
    if text.isascii() and text.isprintable():  # nothing to escape, which is so in nearly all tables
        return text
    return escape_unprintable(text).translate(_BLANK)


def escape_lines(text: str) -> tuple[str, ...]:
    r"""Return the lines of `text`, each of them escaped; () if `text` is "".

    Only `\n` and `\r\n` end a line. Tabs become spaces.
    """
    lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n")
    return tuple(escape(line.expandtabs(_TAB)) for line in lines) if text else ()


def shorten(text: str, columns: int) -> str:
    """Return `text` escaped, and cut to at most `columns` columns of a terminal. A text that is cut ends with "…"."""
    shown = escape(text)
    if width(shown) <= columns:
        return shown
    ends = accumulate(map(width, shown), initial=width(_ELLIPSIS))
    kept = (char for char, end in zip(shown, islice(ends, 1, None), strict=True) if end <= columns)
    return "".join(kept) + _ELLIPSIS if columns > 0 else ""


def width(text: str) -> int:
    """Return how many columns of a terminal `text` takes. `text` must be escaped already."""
    return len(text) if text.isascii() else sum(map(_columns, text))


@lru_cache(maxsize=1024)
def _columns(char: str) -> int:
    """Return how many columns of a terminal a character takes: 0 for a combining mark, 2 for a wide one, else 1."""
    if unicodedata.category(char) in {"Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1
