"""Makes the output of other programs safe to print: control characters and invalid bytes become visible escapes."""

import re

from desired.unprintable import escape_unprintable

_MOST = 200


def decoded(data: bytes) -> str:
    r"""Return bytes as text, read as UTF-8. Each invalid byte becomes a hexadecimal escape such as \xff."""
    return data.decode("utf-8", "backslashreplace")


def one_line(data: bytes, most: int = _MOST) -> str:
    """Return the beginning of `data` as one printable line of at most `most` characters, with "…" if it is cut.

    Each run of white space becomes one blank.
    """
    line = escape_unprintable(" ".join(decoded(data).split()))
    return line if len(line) <= most else line[: most - 1] + "…"


def last_words(data: bytes, most: int = _MOST) -> str:
    """Return the end of `data` as one printable line of at most `most` characters. If it is cut, it begins with "…".

    Each run of white space becomes one blank. Use this for error messages: programs write the reason of a failure last.
    """
    line = escape_unprintable(" ".join(decoded(data).split()))
    return line if len(line) <= most else "…" + line[1 - most :]


def lines_printable(data: bytes) -> str:
    """Return `data` as text with all its lines. CRLF becomes LF. Unprintable characters except tabs are escaped."""
    text = decoded(data).replace("\r\n", "\n")
    return "\n".join("\t".join(escape_unprintable(cell) for cell in line.split("\t")) for line in text.split("\n"))


def ref_bytes(name: str) -> bytes:
    """Return the bytes of the name of a git ref from its text: the reverse of `decoded`.

    git allows no backslash in such a name, so every backslash in `name` belongs to an escape made by `decoded`.
    """
    return re.sub(rb"\\x([0-9a-f]{2})", lambda match: bytes([int(match[1], 16)]), name.encode())
