"""Finds out which processes listen on a port of this host, from the tables of the kernel."""

import os
import random
import socket
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from reconciler.errors import InfrastructureError

# Below the ports that the kernel uses for outgoing connections, so that no such connection takes the port later.
PORTS = range(20000, 30000)
_RESERVED = 16
_reservations: deque[socket.socket] = deque()
_LISTENING = "0A"
_INODE = 9
# Listening addresses that accept connections to 127.0.0.1, as /proc/net prints them, in either byte order.
_ANSWERING = frozenset(
    {"00000000", "0100007F", "7F000001", "0" * 32, f"{'0' * 16}FFFF00000100007F", f"{'0' * 20}FFFF7F000001"}
)


def free_port(ports: range = PORTS) -> int:
    """Return one of `ports`, at random, that no program uses now, and reserve it from other processes of Canon.

    The port stays reserved until this process ends or has reserved 16 more. A program other than Canon may still take
    the port. At most 200 ports are tried. Raise InfrastructureError if all of them are in use.
    """
    for port in random.sample(ports, k=min(200, len(ports))):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("", port))
            _reserve(port)
            return port
    raise InfrastructureError("no free port for an app", f"ports {PORTS.start} to {PORTS.stop - 1} are in use")


def _reserve(port: int) -> None:
    """Reserve a port from other processes of Canon, until this process ends or has reserved 16 more (_RESERVED).

    Raise OSError if the port is reserved already. An abstract Unix socket is the reservation: only one process can bind
    its name, the kernel releases it with the process, and each network namespace has its own, as it has its ports.
    """
    reservation = socket.socket(socket.AF_UNIX)
    try:
        reservation.bind(f"\0canon-port-{port}")
    except OSError:
        reservation.close()
        raise
    _reservations.append(reservation)
    if len(_reservations) > _RESERVED:
        _reservations.popleft().close()


def why_not_listening(port: int, pids: Iterable[int]) -> str:
    """Return why an app cannot be reached at 127.0.0.1:`port`: nothing listens there, or another program does.

    `pids` are the processes of the app. Return "" if they listen there, and no other process does.
    """
    listening = _listening(port)
    if not listening:
        return f"nothing listens on 127.0.0.1:{port}"
    if listening - _all_sockets(pids):
        return f"another program listens on port {port}"
    return ""


def listens_elsewhere(port: int, pids: Iterable[int]) -> bool:
    """Return whether a process that is not one of `pids` listens on 127.0.0.1:`port`."""
    return bool(_listening(port) - _all_sockets(pids))


def _listening(port: int) -> frozenset[str]:
    """Return the inode numbers (as text) of the sockets of this host that accept connections to 127.0.0.1:`port`."""
    return frozenset(inode for table in _tables() for inode in listening_inodes(table, port))


def listening_inodes(table: str, port: int) -> frozenset[str]:
    """Return the inode numbers (as text) of the sockets that accept connections to 127.0.0.1:`port`.

    `table` is the text of /proc/net/tcp or /proc/net/tcp6.
    """
    rows = [line.split() for line in table.splitlines()[1:]]
    return frozenset(
        row[_INODE] for row in rows if len(row) > _INODE and row[3] == _LISTENING and _accepts(row[1], port)
    )


def _accepts(local: str, port: int) -> bool:
    """Return whether a socket with the address `local` accepts connections to 127.0.0.1:`port`.

    `local` has the form of /proc/net/tcp, such as "0100007F:1F90".
    """
    address, _, number = local.partition(":")
    return address in _ANSWERING and int(number, 16) == port


def _tables() -> tuple[str, ...]:
    """Return the texts of /proc/net/tcp and /proc/net/tcp6, the kernel's lists of TCP sockets, if they exist."""
    paths = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
    return tuple(path.read_text("ascii") for path in paths if path.exists())


def _all_sockets(pids: Iterable[int]) -> frozenset[str]:
    """Return the inode numbers (as text) of the sockets that the processes `pids` have open."""
    return frozenset(inode for pid in pids for inode in _sockets(pid))


def _sockets(pid: int) -> set[str]:
    """Return the inode numbers (as text) of the sockets that a process has open.

    Return an empty set if the process has ended, or belongs to another user.
    """
    inodes: set[str] = set()
    with suppress(OSError):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                inodes.add(os.fsdecode(descriptor.readlink()).removeprefix("socket:[").removesuffix("]"))
    return inodes
