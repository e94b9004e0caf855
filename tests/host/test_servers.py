import os
import signal
import sys
from pathlib import Path

import pytest

from reconciler.host.processes import subreaper as children
from reconciler.host.processes.procfs import living_processes, marked_below, read_process
from reconciler.host.run import start_server
from tests.host.commands_to_run import DAEMON, ENVIRONMENT, ROOT, eventually, mark_of_pid, name_of_pid, server, sleepers


def test_a_server_is_found_by_its_slot_and_by_the_folder_above(span: str) -> None:
    with server("sleep", span, mark=f"{ROOT}/notes/tried") as pid:
        assert [process.pid for process in marked_below(Path(f"{ROOT}/notes/tried"), living_processes())] == [pid]
        assert [process.pid for process in marked_below(Path(ROOT), living_processes())] == [pid]
        assert marked_below(Path(f"{ROOT}/notes/trie"), living_processes()) == ()
        assert read_process(pid)
    assert marked_below(Path(ROOT), living_processes()) == ()


def test_a_server_has_a_session_and_an_environment_of_its_own(span: str) -> None:
    with server("sleep", span, mark=f"{ROOT}/a") as pid:
        eventually(lambda: name_of_pid(pid) == "sleep")
        process = read_process(pid)
        assert process
        assert process.session == pid
        variables = sorted(eventually(lambda: Path(f"/proc/{pid}/environ").read_bytes()).split(b"\0")[:-1])
        assert variables == [f"CANON_SLOT={ROOT}/a".encode(), b"LANG=C.UTF-8", b"PATH=" + ENVIRONMENT["PATH"].encode()]


def test_a_server_without_a_program_raises_the_error_of_the_kernel() -> None:
    with Path("/dev/null").open("wb") as nowhere, pytest.raises(FileNotFoundError):
        start_server(["no-such-program"], ENVIRONMENT, Path("/"), nowhere, f"{ROOT}/a")


def test_an_orphan_without_a_mark_belongs_to_the_only_slot_that_lives(span: str) -> None:
    script = DAEMON.format(environment="{}") + "import time; time.sleep(1000)"
    with server(sys.executable, "-c", script, span, mark=f"{ROOT}/a") as pid:
        (orphan,) = eventually(lambda: [each for each in sleepers(span) if name_of_pid(each) == "sleep"])
        assert mark_of_pid(orphan) is None
        assert orphan in {process.pid for process in children.of_slot(f"{ROOT}/a")}
        with server("sleep", span, mark=f"{ROOT}/b"):
            assert orphan not in {process.pid for process in children.of_slot(f"{ROOT}/a")}
        os.kill(orphan, signal.SIGKILL)
        eventually(lambda: orphan not in sleepers(span))
        assert pid in {process.pid for process in children.of_slot(f"{ROOT}/a")}
