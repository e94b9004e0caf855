"""Keeps the output of commands in memory or in files, up to a limit."""

import os
from pathlib import Path
from typing import Protocol

from reconciler.host.text import lines_printable
from reconciler.redact import RedactedStream, Redaction

KIB = 1024
MIB = 1024 * KIB

# In UTF-8, the two high bits of a byte are 10 if it continues a character. A byte from 0xC0 on begins a character of
# several bytes.
_CONTINUATION = 0x80
_FIRST_OF_SEVERAL = 0xC0
_LONGEST_CHARACTER = 4


class OutputSink(Protocol):
    """Takes the output of a command. `feed` gets the output piece by piece, and `close` is called at the end.

    `feed` returns False if it takes no more. Then the command has to be stopped.
    """

    def feed(self, chunk: bytes) -> bool: ...

    def close(self) -> None: ...


class FirstBytes:
    """Keeps the first `most` bytes of a command's output in `data`. `overflowed` is True if there were more."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._chunks: list[bytes] = []
        self._size = 0
        self.overflowed = False

    @property
    def data(self) -> bytes:
        return b"".join(self._chunks)

    def feed(self, chunk: bytes) -> bool:
        kept = chunk[: self._most - self._size]
        self._chunks.append(kept)
        self._size += len(kept)
        self.overflowed = self.overflowed or len(kept) < len(chunk)
        return not self.overflowed

    def close(self) -> None:
        """Do nothing: there is no file to close."""


class LastBytes:
    """Keeps the last `most` bytes of a command's output in `data`. `size` is the size of the whole output in bytes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._data = b""
        self.size = 0

    @property
    def data(self) -> bytes:
        return self._data[-self._most :]

    @property
    def left_out(self) -> int:
        """Return how many bytes of the output were not kept."""
        return self.size - len(self.data)

    def feed(self, chunk: bytes) -> bool:
        self.size += len(chunk)
        self._data += chunk
        if len(self._data) > 2 * self._most:
            self._data = self.data
        return True

    def close(self) -> None:
        """Do nothing: there is no file to close."""


class NewFile:
    """Writes the whole output of a command to the new file `path`, which only this user can read.

    Making a NewFile raises FileExistsError if there is such a file already.
    """

    def __init__(self, path: Path) -> None:
        self._file = open(path, "xb", opener=_private)  # noqa: SIM115 - Path.open takes no opener; closed in close

    def feed(self, chunk: bytes) -> bool:
        self._file.write(chunk)
        return True

    def close(self) -> None:
        self._file.close()


class Log:
    """Appends the output of a command to the file `path`. Secrets are masked, and unprintable characters escaped.

    The arguments `most` and `tail` are numbers of bytes. Of a longer output, the file gets the first `most` bytes, a
    line that says how many bytes are left out, and the last `tail` bytes. The property `tail` is the text of these last
    bytes.
    """

    def __init__(self, path: Path, redaction: Redaction, most: int = 16 * MIB, tail: int = 16 * KIB) -> None:
        self._redactor = RedactedStream(redaction)
        self._room = most
        self._beyond = LastBytes(tail)
        self._tail = LastBytes(tail)
        self._pending = b""
        self._file = open(path, "ab", opener=_private)  # noqa: SIM115 - Path.open takes no opener; closed in close

    @property
    def tail(self) -> str:
        return lines_printable(self._tail.data)

    def feed(self, chunk: bytes) -> bool:
        self._pending += self._redactor.feed(chunk)
        cut = _safe_cut(self._pending)
        self._write(self._pending[:cut])
        self._pending = self._pending[cut:]
        return True

    def close(self) -> None:
        try:
            self._write(self._pending + self._redactor.flush())
            if self._beyond.left_out:
                self._file.write(f"\n[{self._beyond.left_out} bytes left out]\n".encode())
            self._file.write(lines_printable(self._beyond.data).encode())
        finally:
            self._file.close()

    def _write(self, data: bytes) -> None:
        self._tail.feed(data)
        kept = data[: self._room]
        self._room -= len(kept)
        self._beyond.feed(data[len(kept) :])
        self._file.write(lines_printable(kept).encode())


def _safe_cut(data: bytes) -> int:
    """Return how many bytes of `data` can be written now without splitting a UTF-8 character or a CRLF."""
    for cut in range(len(data), max(0, len(data) - _LONGEST_CHARACTER), -1):
        last = data[cut - 1]
        if last & 0xC0 == _CONTINUATION:
            continue
        return cut - 1 if last >= _FIRST_OF_SEVERAL or last == ord("\r") else len(data)
    return len(data)


def _private(path: str, flags: int) -> int:
    """Open a file so that only this user can read it, and return its descriptor. Raise OSError if `path` is a link.

    This function is given to Python's `open` as the argument `opener`.
    """
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)
