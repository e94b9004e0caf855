import fcntl
import gc
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from reconciler.errors import InfrastructureError
from reconciler.host.command_spec import CommandSpec
from reconciler.host.processes import subreaper as children
from reconciler.host.processes.procfs import children as own_children
from reconciler.host.processes.procfs import read_process
from reconciler.host.run import capture
from reconciler.ports.commands import CommandResult
from tests.host.commands_to_run import (
    DAEMON,
    HOURS,
    ROOT,
    arguments_of,
    eventually,
    name_of_pid,
    run_and_capture,
    server,
    shell,
    sleepers,
)

# ---- deadlines ----


def test_a_silent_command_is_ended_by_its_deadline(span: str) -> None:
    output = run_and_capture("sleep", span, deadline=0.3)
    assert (output.result.code, output.result.timed_out) == (None, True)
    assert [name.split()[0] for name in output.result.ended] == ["sleep"]


def test_a_command_that_ignores_being_asked_is_killed(span: str) -> None:
    output = shell(f"trap '' TERM; sleep {span} & wait; sleep {span}", deadline=0.3)
    assert output.result.timed_out


def test_the_whole_tree_is_ended(span: str) -> None:
    stop = threading.Event()
    script = f"(sleep {span} & sleep {span}) & setsid sh -c 'sleep {span} & sleep {span}' & sleep {span}"

    def all_started() -> bool:
        return len([pid for pid in sleepers(span) if name_of_pid(pid) == "sleep"]) == 5

    def stop_then() -> None:
        eventually(all_started)
        stop.set()

    watch = threading.Thread(target=stop_then)
    watch.start()
    output = shell(script, stop=stop)
    watch.join()
    assert output.result.timed_out
    assert len([name for name in output.result.ended if name.startswith("sleep")]) == 5


def test_output_before_the_deadline_is_kept(span: str) -> None:
    assert shell(f"echo early; sleep {span}", deadline=2.0).out == b"early\n"


def test_a_command_can_be_stopped_from_another_thread(span: str) -> None:
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    assert run_and_capture("sleep", span, stop=stop).result.timed_out


# ---- what outlives a command ----


@pytest.mark.parametrize("environment", ["dict(os.environ)", "{}"], ids=["with its marks", "without any"])
def test_a_daemon_that_holds_the_pipe_delays_nothing_and_is_stopped(span: str, environment: str) -> None:
    output = run_and_capture(sys.executable, "-c", DAEMON.format(environment=environment), span)
    assert output.out == b"started\n"
    assert output.result.code == 0
    assert len(output.result.ended) == 1


def test_a_background_job_of_a_finished_shell_is_ended(span: str) -> None:
    output = shell(f"sleep {span} & echo done")
    assert (output.out, output.result.code, len(output.result.ended)) == (b"done\n", 0, 1)


def test_a_command_does_not_end_what_others_started(span: str) -> None:
    with server("sleep", span, mark=f"{ROOT}/other") as pid:
        assert run_and_capture("true", mark=f"{ROOT}/mine").result == CommandResult(0)
        assert run_and_capture("true", mark=f"{ROOT}/other").result == CommandResult(0)
        assert sleepers(span) == [pid]


def test_no_zombie_is_left_behind(span: str) -> None:
    before = {process.pid for process in own_children()}
    for _ in range(3):
        run_and_capture(sys.executable, "-c", DAEMON.format(environment="{}"), span)
    assert {process.pid for process in own_children()} <= before


def test_descriptors_and_threads_do_not_grow() -> None:
    def in_use() -> tuple[set[str], int]:
        gc.collect()
        return {path.name for path in Path("/proc/self/fd").iterdir()}, threading.active_count()

    run_and_capture("true")
    descriptors, threads = in_use()
    for _ in range(10):
        run_and_capture("true", stdin=b"x")
    now, busy = in_use()
    assert len(now) <= len(descriptors)
    assert busy <= threads


# ---- the pass lock ----


HOLDER = """
import fcntl, os, sys
from pathlib import Path
from reconciler.host.command_spec import CommandSpec
from reconciler.host.run import capture
lock = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.flock(lock, fcntl.LOCK_EX)
order = CommandSpec(("sleep", sys.argv[2]), {"PATH": "/usr/bin:/bin"}, Path("/"), 600.0, holding=lock)
capture(order)
"""


def test_a_command_keeps_the_lock_when_we_are_killed_and_has_a_deadline_of_its_own(tmp_path: Path, span: str) -> None:
    lock = tmp_path / "lock"
    command = [sys.executable, "-c", HOLDER, str(lock), span]
    with subprocess.Popen(command, cwd=Path(__file__).parents[2]) as holder:
        sleeper = eventually(lambda: [pid for pid in sleepers(span) if name_of_pid(pid) == "sleep"])[0]
        holder.kill()
    guard = read_process(sleeper)
    assert guard
    with lock.open() as file:
        with pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert arguments_of(guard.parent)[:4] == [b"/usr/bin/timeout", b"-k", b"10", b"610"]
        os.kill(guard.parent, signal.SIGTERM)
        fcntl.flock(file, fcntl.LOCK_EX)
    eventually(lambda: sleepers(span) == [])
    children.reap()


def test_other_commands_do_not_hold_the_lock(tmp_path: Path) -> None:
    lock = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        assert run_and_capture("ls", "/proc/self/fd").out.split() == [b"0", b"1", b"2", b"3"]
        assert len(run_and_capture("ls", "/proc/self/fd", holding=lock).out.split()) == 5
    finally:
        os.close(lock)


def test_no_command_gets_the_lock_while_an_unstoppable_process_holds_it() -> None:
    command = CommandSpec(("/bin/true",), {"PATH": "/nowhere"}, Path("/"), HOURS, holding=0)
    with pytest.raises(InfrastructureError, match="timeout"):
        capture(command)
