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

    Errors are ignored: the printed report reaches the journal too.
    """
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        for entry in entries:
            journal.sendto(datagram(entry), str(path))


def datagram(entry: Mapping[str, str]) -> bytes:
    r"""Return an entry in the journal's native format: a line NAME=VALUE for each field.

    A value with a line break is written as the name, "\n", its length in 8 bytes (the lowest first), and the value.
    """
    return b"".join(_field(name.encode("ascii"), value.encode("utf-8", "replace")) for name, value in entry.items())


def _field(name: bytes, value: bytes) -> bytes:
    if b"\n" in value:
        return name + b"\n" + len(value).to_bytes(8, "little") + value + b"\n"
    return name + b"=" + value + b"\n"
