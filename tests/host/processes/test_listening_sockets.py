import os
import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.host.processes import listening_sockets
from reconciler.host.processes.listeners import free_port, inodes_in_proc, why_not_listening
from reconciler.host.processes.listening_sockets import UnusableAnswerError, inodes_by_netlink, listening_in

ESTABLISHED, LISTEN = 1, 10
ERROR, DONE, ROW = 2, 3, 20
LOOPBACK = bytes([127, 0, 0, 1])
ANSWERING = [(2, LOOPBACK), (2, bytes(4)), (10, bytes(16)), (10, bytes(10) + b"\xff\xff" + LOOPBACK)]
ELSEWHERE = [(2, bytes([127, 0, 0, 2])), (10, bytes(15) + b"\1"), (10, LOOPBACK + bytes(12)), (1, bytes(4))]
ROWS = st.tuples(
    st.sampled_from(ANSWERING + ELSEWHERE),
    st.integers(20000, 20002),
    st.sampled_from([LISTEN, ESTABLISHED]),
    st.integers(0, 2**32 - 1),
    st.binary(max_size=9),
)
Row = tuple[tuple[int, bytes], int, int, int, bytes]


def message(kind: int, body: bytes, flags: int = 0) -> bytes:
    """Return a message as linux/netlink.h describes it, filled up to a multiple of four bytes."""
    return struct.pack("=IHHII", 16 + len(body), kind, flags, 0, 0) + body + bytes(-len(body) % 4)


def row(each: Row) -> bytes:
    """Return the message of one socket, as linux/inet_diag.h describes it. Attributes follow it."""
    (family, address), port, state, inode, attributes = each
    own = struct.pack("!HH", port, 0) + address.ljust(16, b"\0") + bytes(16 + 12)
    return message(
        ROW, struct.pack("=BBBB", family, state, 0, 0) + own + struct.pack("=IIIII", 0, 0, 0, 0, inode) + attributes
    )


OK = message(DONE, bytes(4))


@given(rows=st.lists(ROWS), is_last=st.booleans())
def test_only_sockets_that_listen_where_the_app_is_asked_are_counted(rows: list[Row], *, is_last: bool) -> None:
    wanted = {str(each[3]) for each in rows if each[0] in ANSWERING and each[1:3] == (20001, LISTEN)}
    assert listening_in(b"".join(map(row, rows)) + OK * is_last, 20001) == (frozenset(wanted), is_last)


@given(st.lists(ROWS, min_size=1), st.data())
def test_an_answer_that_is_cut_off_is_never_taken_for_a_complete_one(rows: list[Row], data: st.DataObject) -> None:
    whole = b"".join(map(row, rows)) + OK
    kept = data.draw(st.integers(0, len(whole) - 1))
    with suppress(UnusableAnswerError):
        assert listening_in(whole[:kept], 20001)[1] is False


@given(st.binary())
def test_nonsense_is_refused_or_holds_no_listener(part: bytes) -> None:
    try:
        found, _ = listening_in(part, 20001)
    except UnusableAnswerError:
        return
    assert found == frozenset()


@pytest.mark.parametrize(
    "part",
    [
        message(ERROR, struct.pack("=i", -2)),
        message(DONE, struct.pack("=i", -4)),
        message(DONE, bytes(4), flags=0x10),
        message(ROW, bytes(71)),
        message(ROW + 1, bytes(72)),
    ],
)
def test_an_error_or_an_unknown_message_is_refused(part: bytes) -> None:
    with pytest.raises(UnusableAnswerError):
        listening_in(part, 20001)


@contextmanager
def listening(port: int, address: str, *, v6_alone: bool = False) -> Iterator[str]:
    """Listen on a port. Yield the inode of the socket."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, v6_alone)
        listener.bind((address, port))
        listener.listen()
        yield str(os.fstat(listener.fileno()).st_ino)


@pytest.mark.parametrize(
    ("address", "v6_alone", "counts", "answers"),
    [
        ("0.0.0.0", False, True, True),  # noqa: S104
        ("127.0.0.1", False, True, True),
        ("127.0.0.2", False, False, False),
        ("::", False, True, True),
        ("::", True, True, False),
        ("::1", False, False, False),
        ("::ffff:127.0.0.1", False, True, True),
        ("::ffff:127.0.0.2", False, False, False),
    ],
)
def test_netlink_and_proc_name_the_same_sockets(address: str, *, v6_alone: bool, counts: bool, answers: bool) -> None:
    port = free_port()
    with listening(port, address, v6_alone=v6_alone) as inode:
        assert inodes_by_netlink(port) == inodes_in_proc(port) == ({inode} if counts else set())
        with closing(socket.socket()) as client:
            assert (client.connect_ex(("127.0.0.1", port)) == 0) is answers
            assert inodes_by_netlink(port) == inodes_in_proc(port) == ({inode} if counts else set())
    assert inodes_by_netlink(port) == inodes_in_proc(port) == frozenset()


def test_several_listeners_of_one_port_are_all_named() -> None:
    port = free_port()
    with ExitStack() as stack:
        addresses = ("127.0.0.1", "127.0.0.2", "::1", "::ffff:127.0.0.3")
        inode, *_ = [stack.enter_context(listening(port, address)) for address in addresses]
        assert inodes_by_netlink(port) == inodes_in_proc(port) == {inode}


@pytest.mark.parametrize(("refused", "number"), [("_NETLINK_SOCK_DIAG", 31), ("_SOCK_DIAG_BY_FAMILY", 9999)])
def test_proc_is_read_where_the_kernel_refuses_netlink_or_answers_with_an_error(
    refused: str, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    with listening(port, "127.0.0.1"):
        monkeypatch.setattr(listening_sockets, refused, number)
        assert inodes_by_netlink(port) is None
        assert not why_not_listening(port, [os.getpid()])
