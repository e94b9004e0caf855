"""Makes bytes from outside safe to print: invalid and unprintable ones become escapes, so none controls a terminal."""

import re

from desired.unprintable import escape_unprintable

_MOST = 200


def decoded(data: bytes) -> str:
    """Decode UTF-8. Each invalid byte becomes a hexadecimal escape."""
    return data.decode("utf-8", "backslashreplace")


def one_line(data: bytes, most: int = _MOST) -> str:
    """Return `data` as one printable line of at most `most` characters. White space becomes single blanks."""
    line = escape_unprintable(" ".join(decoded(data).split()))
    return line if len(line) <= most else line[: most - 1] + "…"


def last_words(data: bytes, most: int = _MOST) -> str:
    """Return `data` as one printable line. If it is too long, cut its start: the end says why a program failed."""
    line = escape_unprintable(" ".join(decoded(data).split()))
    return line if len(line) <= most else "…" + line[1 - most :]


def lines_printable(data: bytes) -> str:
    """Return `data` as text in which all but printable characters, tabs and line ends is escaped. CRLF becomes LF."""
    text = decoded(data).replace("\r\n", "\n")
    return "\n".join("\t".join(escape_unprintable(cell) for cell in line.split("\t")) for line in text.split("\n"))


def ref_bytes(name: str) -> bytes:
    """Return the bytes of which `decoded` made `name`, the name of a ref.

    Git allows no backslash in such a name, so each escape in it is from `decoded`.
    """
    return re.sub(rb"\\x([0-9a-f]{2})", lambda match: bytes([int(match[1], 16)]), name.encode())
