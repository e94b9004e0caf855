"""Asks the kernel by netlink which TCP sockets listen on a port.

The kernel keeps listening sockets in a table of their own, and goes through that alone. To print /proc/net/tcp it goes
through the table of all connections, which has hundreds of thousands of slots on a host with much memory.

The layouts are those of linux/netlink.h, linux/sock_diag.h and linux/inet_diag.h. Numbers are in the order of this
host, ports and addresses in that of the network.
"""

import socket
import struct
from collections.abc import Iterator

_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_NLM_F_REQUEST_DUMP = 0x301
_NLM_F_DUMP_INTR = 0x10
_NLMSG_DONE = 3
_TCP_LISTEN = 10
# Larger than any part of an answer: the kernel makes parts of at most 32 KiB.
_PART = 64 * 1024
_SECONDS = 5.0

# struct nlmsghdr: length with this header, type, flags, sequence number, port of the sender.
_HEADER = struct.Struct("=IHHII")
# struct inet_diag_req_v2: family, protocol, extensions, padding, states as bits; struct inet_diag_sockid: source port,
# destination port, source, destination, interface, cookie. A port that is not 0 must be that of the socket.
_REQUEST = struct.Struct("=BBBxI2s2s16s16sI8s")
# struct inet_diag_msg: family, state, timer, retransmissions; struct inet_diag_sockid; expiry, lengths of both queues,
# user, inode.
_SOCKET = struct.Struct("=BBBB2s2s16s16sI8sIIIII")

# Listening addresses that accept connections to 127.0.0.1. The kernel has 16 bytes for an address, also of IPv4.
_LOCAL = socket.inet_pton(socket.AF_INET, "127.0.0.1")
_ANSWERING: dict[int, frozenset[bytes]] = {
    socket.AF_INET: frozenset({_LOCAL + bytes(12), bytes(16)}),
    socket.AF_INET6: frozenset(socket.inet_pton(socket.AF_INET6, each) for each in ("::", "::ffff:127.0.0.1")),
}


class UnusableAnswerError(Exception):
    """The kernel refused to answer, or its answer is not complete."""


def inodes_by_netlink(port: int) -> frozenset[str] | None:
    """Return the inode numbers (as text) of the sockets that accept connections to 127.0.0.1:`port`.

    A socket that listens on :: counts too, even if it is for IPv6 alone. Return None if the kernel does not answer by
    netlink, or not completely.
    """
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as kernel:
            kernel.settimeout(_SECONDS)
            return frozenset(inode for family in _ANSWERING for inode in _ask(kernel, family, port))
    except (OSError, UnusableAnswerError):
        return None


def _ask(kernel: socket.socket, family: int, port: int) -> Iterator[str]:
    """Yield the inode numbers (as text) of the sockets of a family that accept connections to 127.0.0.1:`port`.

    Raise UnusableAnswerError if the kernel refuses or the answer is not complete, and OSError if there is none.
    """
    number = port.to_bytes(2, "big")
    body = _REQUEST.pack(
        family, socket.IPPROTO_TCP, 0, 1 << _TCP_LISTEN, number, bytes(2), bytes(16), bytes(16), 0, bytes(8)
    )
    kernel.send(_HEADER.pack(_HEADER.size + len(body), _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST_DUMP, 0, 0) + body)
    is_complete = False
    while not is_complete:
        part, _, flags, _ = kernel.recvmsg(_PART)
        if flags & socket.MSG_TRUNC:
            raise UnusableAnswerError
        found, is_complete = listening_in(part, port)
        yield from found


def listening_in(part: bytes, port: int) -> tuple[frozenset[str], bool]:
    """Return the inode numbers (as text) of those sockets in `part` that accept connections to 127.0.0.1:`port`.

    `part` has whole messages of an answer of the kernel. Return also whether it ends the answer. Raise
    UnusableAnswerError if it has an error, is cut off, or comes from a table that changed meanwhile.
    """
    inodes = set[str]()
    for kind, body in _messages(part):
        # The last message has 0, or the number of an error.
        if kind == _NLMSG_DONE and not any(body[:4]):
            return frozenset(inodes), True
        if kind != _SOCK_DIAG_BY_FAMILY or len(body) < _SOCKET.size:
            raise UnusableAnswerError
        family, state, _, _, number, _, address, *_, inode = _SOCKET.unpack_from(body)
        if state == _TCP_LISTEN and int.from_bytes(number, "big") == port and address in _ANSWERING.get(family, ()):
            inodes.add(str(inode))
    return frozenset(inodes), False


def _messages(part: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield type and body of each message in `part`.

    Raise UnusableAnswerError if one is cut off, or if the kernel's table changed while it was read.
    """
    while part:
        if len(part) < _HEADER.size:
            raise UnusableAnswerError
        length, kind, flags, _, _ = _HEADER.unpack_from(part)
        if not _HEADER.size <= length <= len(part) or flags & _NLM_F_DUMP_INTR:
            raise UnusableAnswerError
        yield kind, part[_HEADER.size : length]
        # Each message begins at a multiple of four bytes.
        part = part[(length + 3) & ~3 :]
