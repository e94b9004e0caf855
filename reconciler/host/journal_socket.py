"""Sends entries to systemd's journal over its native socket."""

import os
import socket
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

SOCKET = Path("/run/systemd/journal/socket")


def runs_under_journal(environ: Mapping[str, str]) -> bool:
    """Return whether stdout or stderr of this process goes to the journal.

    `environ` is the environment of this process. systemd sets JOURNAL_STREAM in it to the device and inode of the
    stream to the journal. These are compared with the streams, because a program may inherit the variable although its
    own streams go elsewhere.
    """
    return any(environ.get("JOURNAL_STREAM") == _stream_identity(number) for number in (1, 2))


def _stream_identity(number: int) -> str:
    """Return "DEVICE:INODE" of the file descriptor `number`; "" if it is closed."""
    try:
        info = os.fstat(number)
    except OSError:
        return ""
    return f"{info.st_dev}:{info.st_ino}"


def send_entries(entries: Iterable[Mapping[str, str]], path: Path = SOCKET) -> None:
    """Send each entry as one datagram to the socket `path`. An entry maps the names of its fields to their values.

    Ignore errors: nothing is lost then, because the journal also gets the report that Canon prints.
    """
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        for entry in entries:
            journal.sendto(datagram(entry), str(path))


def datagram(entry: Mapping[str, str]) -> bytes:
    r"""Return an entry in the journal's native format: for each field, the line NAME=VALUE.

    If a value has a line break, its field is NAME, "\n", the length of the value as 8 bytes (the lowest first), the
    value, and "\n".
    """
    return b"".join(_field(name.encode("ascii"), value.encode("utf-8", "replace")) for name, value in entry.items())


def _field(name: bytes, value: bytes) -> bytes:
    if b"\n" in value:
        return name + b"\n" + len(value).to_bytes(8, "little") + value + b"\n"
    return name + b"=" + value + b"\n"
