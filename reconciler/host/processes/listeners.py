"""Who takes the connections to a port of this host: told by the kernel's table, never by the answer of a port."""

import os
import random
import socket
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from reconciler.errors import InfrastructureError

# Below the range from which the kernel takes the ports of outgoing connections: none of those is in the way later.
_PORTS = range(20000, 30000)
_LISTENING = "0A"
_INODE = 9
# Addresses at which 127.0.0.1 is answered, as the kernel prints them (in the byte order of the machine).
_ANSWERING = frozenset(
    {"00000000", "0100007F", "7F000001", "0" * 32, f"{'0' * 16}FFFF00000100007F", f"{'0' * 20}FFFF7F000001"}
)


def free_port() -> int:
    """A port on which nothing listens now."""
    for port in random.sample(_PORTS, k=200):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("", port))
            return port
    raise InfrastructureError("no free port for an app", f"ports {_PORTS.start} to {_PORTS.stop - 1} are in use")


def why_not_listening(port: int, pids: Iterable[int]) -> str:
    """Why an answer from 127.0.0.1:`port` would be no word of the processes `pids`; "" if it would be."""
    listening = frozenset(inode for table in _tables() for inode in listening_inodes(table, port))
    if not listening:
        return f"nothing listens on 127.0.0.1:{port}"
    if not listening <= {inode for pid in pids for inode in _sockets(pid)}:
        return f"another program listens on port {port}"
    return ""


def listening_inodes(table: str, port: int) -> frozenset[str]:
    """The sockets that take connections to 127.0.0.1:`port`, from the text of /proc/net/tcp or tcp6."""
    rows = [line.split() for line in table.splitlines()[1:]]
    return frozenset(
        row[_INODE] for row in rows if len(row) > _INODE and row[3] == _LISTENING and _answers(row[1], port)
    )


def _answers(local: str, port: int) -> bool:
    address, _, number = local.partition(":")
    return address in _ANSWERING and int(number, 16) == port


def _tables() -> tuple[str, ...]:
    paths = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
    return tuple(path.read_text("ascii") for path in paths if path.exists())


def _sockets(pid: int) -> set[str]:
    """The inodes of the sockets that a process holds; none for one that ended or is not ours to look at."""
    found: set[str] = set()
    with suppress(OSError):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                found.add(os.fsdecode(descriptor.readlink()).removeprefix("socket:[").removesuffix("]"))
    return found
