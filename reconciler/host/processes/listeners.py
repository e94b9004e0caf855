"""Finds out which processes listen on a port of this host, from the tables of the kernel."""

import atexit
import os
import random
import socket
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from reconciler.errors import InfrastructureError
from reconciler.host.processes.listening_sockets import inodes_by_netlink

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

    It is reserved until this process has chosen 16 more, or has ended with all the workers that it forked. Another
    program may take it at any time. At most 200 ports are tried. Raise InfrastructureError if all of them are in use,
    or if no socket can be made.
    """
    for port in random.sample(ports, k=min(200, len(ports))):
        if _is_free(port) and _reserve(port):
            return port
    raise InfrastructureError("no free port for an app", f"ports {ports.start} to {ports.stop - 1} are in use")


def _is_free(port: int) -> bool:
    """Return whether no program uses the TCP port `port`."""
    with _new_socket(socket.AF_INET) as probe:
        return _binds(probe, ("", port))


def _reserve(port: int) -> bool:
    """Reserve a port, so that no other process of Canon chooses it. Return False if the port is reserved already.

    An abstract Unix socket is the reservation: only one process can bind its name, the kernel releases it with the
    process, and each network namespace has its own, as it has its ports. If this process then has more than 16
    reservations (_RESERVED), it gives up the oldest one.
    """
    reservation = _new_socket(socket.AF_UNIX)
    if not _binds(reservation, f"\0canon-port-{port}"):
        reservation.close()
        return False
    _reservations.append(reservation)
    if len(_reservations) > _RESERVED:
        _reservations.popleft().close()
    return True


@atexit.register
def _release_all() -> None:
    """Close the reservations of this process. A port stays reserved while another process has a copy of its socket."""
    while _reservations:
        _reservations.pop().close()


def _new_socket(family: socket.AddressFamily) -> socket.socket:
    """Return a new socket. Raise InfrastructureError if none can be made, as with too many open files."""
    try:
        return socket.socket(family)
    except OSError as failed:
        raise InfrastructureError(f"no socket can be made for the port of an app: {failed.strerror}") from failed


def _binds(unbound: socket.socket, address: tuple[str, int] | str) -> bool:
    """Bind a socket to an address. Return False if the address is in use, or is not allowed."""
    try:
        unbound.bind(address)
    except OSError:
        return False
    return True


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
    inodes = inodes_by_netlink(port)
    return inodes_in_proc(port) if inodes is None else inodes


def inodes_in_proc(port: int) -> frozenset[str]:
    """Return the inode numbers (as text) of the sockets that accept connections to 127.0.0.1:`port`, read from /proc.

    This takes much longer than `inodes_by_netlink`, and returns the same.
    """
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
