import os
import socket
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import InfrastructureError
from reconciler.host.processes.listeners import free_port, listening_inodes, why_not_listening

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
ANSWERING = ["0100007F", "00000000", "0" * 32, "0000000000000000FFFF00000100007F"]
ELSEWHERE = ["0200007F", "0501A8C0", "00000000000000000000000001000000"]


def row(address: str, port: int, state: str, inode: int) -> str:
    end = ":".join((address, f"{port:04X}"))
    return f"   0: {end} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000     0        0 {inode} 1 0\n"


ROWS = st.tuples(
    st.sampled_from(ANSWERING + ELSEWHERE),
    st.integers(20000, 20002),
    st.sampled_from(["0A", "01", "06"]),
    st.integers(1),
)


@given(st.lists(ROWS))
def test_only_sockets_that_listen_where_the_app_is_asked_are_counted(rows: list[tuple[str, int, str, int]]) -> None:
    table = HEAD + "".join(row(*each) for each in rows)
    assert listening_inodes(table, 20001) == {
        str(inode) for address, port, state, inode in rows if address in ANSWERING and port == 20001 and state == "0A"
    }


@given(st.text())
def test_a_table_of_nonsense_holds_no_listener(text: str) -> None:
    assert listening_inodes(HEAD + text, 20001) == frozenset()


def test_a_free_port_can_be_listened_on_by_one_process_alone() -> None:
    port = free_port()
    assert why_not_listening(port, [os.getpid()]) == f"nothing listens on 127.0.0.1:{port}"
    with socket.create_server(("127.0.0.1", port)):
        assert not why_not_listening(port, [os.getpid()])
        assert why_not_listening(port, [os.getppid()]) == f"another program listens on port {port}"
        assert why_not_listening(port, []) == f"another program listens on port {port}"


# The ports that these tests name are none that an app of another test, which runs now, may have: those are in PORTS.


def test_two_processes_of_canon_never_choose_the_same_port_while_both_prepare_their_apps() -> None:
    ports = range(19900, 19908)
    choose = f"from {free_port.__module__} import free_port; print(free_port({ports})); input()"
    with subprocess.Popen([sys.executable, "-c", choose], stdin=-1, stdout=-1, text=True) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        theirs = int(other.stdout.readline())
        ours = {free_port(ports) for _ in range(len(ports) - 1)}
        assert ours == {*ports} - {theirs}
        with pytest.raises(InfrastructureError, match="no free port"):
            free_port(ports)
        other.stdin.close()
    assert free_port(ports) == theirs


def test_a_port_is_free_again_after_sixteen_others_were_chosen() -> None:
    first = free_port(range(19910, 19911))
    for _ in range(15):
        free_port()
    with pytest.raises(InfrastructureError, match="no free port"):
        free_port(range(first, first + 1))
    free_port()
    assert free_port(range(first, first + 1)) == first


def test_a_port_stays_reserved_when_a_process_that_was_forked_meanwhile_ends() -> None:
    ports = range(19920, 19921)
    code = f"from {free_port.__module__} import free_port; import os, sys; free_port({ports})"
    code += f"\nif (pid := os.fork()) == 0: sys.exit()\nos.waitpid(pid, 0)\nfree_port({ports})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.rstrip().endswith("InfrastructureError: no free port for an app")
    assert free_port(ports) == ports[0]


def test_a_process_closes_its_reservations_before_it_ends() -> None:
    code = f"from {free_port.__module__} import free_port; free_port(); free_port()"
    shown = [sys.executable, "-W", "always::ResourceWarning", "-c", code]
    done = subprocess.run(shown, capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_too_many_open_files_are_not_taken_for_ports_in_use() -> None:
    code = f"from {free_port.__module__} import free_port; import resource, socket; free_port(); kept = []"
    code += "\nresource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))\ntry:\n    while True: kept.append(socket.socket())"
    code += "\nexcept OSError: pass\nfree_port()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.rstrip().endswith("no socket can be made for the port of an app: Too many open files")


def test_a_socket_for_both_protocols_answers_at_the_address_of_the_app() -> None:
    port = free_port()
    with socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True):
        assert not why_not_listening(port, [os.getpid()])


def test_a_listener_at_another_address_does_not_belong_to_the_app() -> None:
    port = free_port()
    with socket.create_server(("127.0.0.2", port)):
        assert why_not_listening(port, [os.getpid()]) == f"nothing listens on 127.0.0.1:{port}"
