"""Bytes from outside made fit for a person: every byte kept, none able to steer a terminal or a log."""

import re

from desired.unprintable import escape_unprintable

_MOST = 200


def decoded(data: bytes) -> str:
    """Text in which each byte that is no UTF-8 stands as its hexadecimal escape; nothing is lost."""
    return data.decode("utf-8", "backslashreplace")


def one_line(data: bytes, most: int = _MOST) -> str:
    """`data` as one short printable line, blanks and line ends folded; cut at `most` characters."""
    line = escape_unprintable(" ".join(decoded(data).split()))
    return line if len(line) <= most else line[: most - 1] + "…"


def last_words(data: bytes, most: int = _MOST) -> str:
    """As `one_line`, but where it is too long the end stays: that is where a program says why it failed."""
    line = escape_unprintable(" ".join(decoded(data).split()))
    return line if len(line) <= most else "…" + line[1 - most :]


def lines_printable(data: bytes) -> str:
    """`data` line by line, each one printable; tabs stay."""
    text = decoded(data).replace("\r\n", "\n")
    return "\n".join("\t".join(escape_unprintable(cell) for cell in line.split("\t")) for line in text.split("\n"))


def ref_bytes(name: str) -> bytes:
    """The reverse of `decoded` for ref names, in which git allows no backslash."""
    return re.sub(rb"\\x([0-9a-f]{2})", lambda match: bytes([int(match[1], 16)]), name.encode())
