import fcntl
import gc
import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import pytest

from reconciler.errors import InfrastructureError
from reconciler.host.command_spec import CapturedOutput, CommandSpec
from reconciler.host.output import LastBytes
from reconciler.host.processes import subreaper as children
from reconciler.host.processes.procfs import SLOT_MARK, living_processes, mark_of, marked_below, read_process
from reconciler.host.processes.procfs import children as own_children
from reconciler.host.run import capture, run, start_server
from reconciler.ports.commands import CommandResult

T = TypeVar("T")

ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
HOURS = 7200.0
# Slots of this process alone: other workers run the same tests at the same time.
ROOT = f"/work/{os.getpid()}"

# A daemon as it is in the book: two forks, a session of its own, and here also the pipe held open.
DAEMON = """
import os, sys
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execve("/bin/sleep", ["sleep", sys.argv[1]], {environment})
    os._exit(0)
os.wait()
print("started", flush=True)
"""


@pytest.fixture
def span() -> Iterator[str]:
    """Yield a number of seconds that no other process of this host sleeps. No process may sleep it afterwards."""
    seconds = f"{100_000 + os.getpid()}.{threading.get_native_id()}"
    yield seconds
    assert sleepers(seconds) == []


def sleepers(span: str) -> list[int]:
    return [process.pid for process in living_processes() if span.encode() in arguments_of(process.pid)]


def arguments_of(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return []


def run_and_capture(
    *argv: str,
    cwd: Path = Path("/"),
    deadline: float = HOURS,
    most: int = 1 << 20,
    **more: Any,  # noqa: ANN401 - fields of CommandSpec
) -> CapturedOutput:
    command = CommandSpec(argv, ENVIRONMENT, cwd, deadline, **more)
    return capture(command, most)


def name_of_pid(pid: int) -> str:
    process = read_process(pid)
    return process.name if process else ""


def mark_of_pid(pid: int) -> str | None:
    process = read_process(pid)
    return mark_of(process, SLOT_MARK) if process else None


def eventually(check: Callable[[], T]) -> T:
    """Return the first true result of `check`."""
    for _ in range(1000):
        if found := check():
            return found
        time.sleep(0.02)
    raise AssertionError("it never happened")


def shell(script: str, *arguments: str, deadline: float = HOURS, **more: Any) -> CapturedOutput:  # noqa: ANN401 - fields of CommandSpec
    return run_and_capture("sh", "-c", script, "sh", *arguments, deadline=deadline, **more)


# ---- what comes in and what comes out ----


def test_stdout_stderr_and_exit_code_are_separate() -> None:
    output = shell("echo out; echo err >&2; exit 3")
    assert (output.out, output.err, output.result) == (b"out\n", b"err\n", CommandResult(3))
    assert not output.ok


def test_an_end_by_a_signal_has_the_negative_number_as_code() -> None:
    assert shell("kill -9 $$").result == CommandResult(-signal.SIGKILL)


def test_the_environment_is_just_what_was_ordered_and_the_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY", "sings")
    lines = run_and_capture("env", "-0", mark=f"{ROOT}/slot").out.split(b"\0")[:-1]
    seen = dict(line.split(b"=", 1) for line in lines)
    assert seen.pop(b"CANON_RUN")
    assert seen == {b"PATH": ENVIRONMENT["PATH"].encode(), b"LANG": b"C.UTF-8", b"CANON_SLOT": f"{ROOT}/slot".encode()}


def test_nothing_is_inherited_but_three_descriptors() -> None:
    with Path("/dev/null").open("rb") as opened:
        os.set_inheritable(opened.fileno(), True)  # noqa: FBT003 - so the function takes it
        assert run_and_capture("ls", "/proc/self/fd").out.split() == [
            b"0",
            b"1",
            b"2",
            b"3",
        ]  # ls itself opens the last


@pytest.mark.parametrize("given", [b"", b"a line\n", bytes(range(256)) * 4096])
def test_standard_input_is_what_was_given_and_then_ends(given: bytes) -> None:
    assert run_and_capture("cat", stdin=given, most=1 << 22).out == given


def test_arguments_are_never_read_by_a_shell(tmp_path: Path) -> None:
    hostile = ["$(touch hacked)", "`touch hacked`", "; touch hacked", "*", "--", "-n", "", " ", "\n", "ü\x1b", "%s"]
    assert run_and_capture("printf", "%s\\0", *hostile, cwd=tmp_path).out.split(b"\0")[:-1] == [
        each.encode() for each in hostile
    ]
    assert list(tmp_path.iterdir()) == []


def test_no_signal_is_ignored_that_a_shell_would_not_ignore() -> None:
    ignored = re.search(rb"SigIgn:\s+([0-9a-f]+)", run_and_capture("cat", "/proc/self/status").out)
    assert ignored
    # 32 and 33 are the C library's own: no program can set them, and some that start us hand them on ignored.
    assert int(ignored[1], 16) & ~(0b11 << 31) == 0


def test_a_program_is_found_as_the_child_would_find_it(tmp_path: Path) -> None:
    program = tmp_path / "greet"
    program.write_text("#!/bin/sh\necho hello\n")
    program.chmod(0o755)
    assert run_and_capture("./greet", cwd=tmp_path).out == b"hello\n"
    assert capture(CommandSpec(("greet",), {"PATH": str(tmp_path)}, Path("/"), HOURS)).out == b"hello\n"
    assert run_and_capture("greet", cwd=tmp_path).result.missing


@pytest.mark.parametrize("argv", [("no-such-program",), ("/no/such/program",)])
def test_a_missing_program_is_a_value(argv: tuple[str, ...]) -> None:
    assert run_and_capture(*argv).result == CommandResult(None, missing=True)


@pytest.mark.parametrize(
    ("name", "content", "mode", "reason"),
    [
        ("absent", None, 0, b"No such file or directory"),
        ("plain", b"#!/bin/sh\n", 0o644, b"Permission denied"),
        ("nonsense", b"\x7fELFnot", 0o755, b"Exec format error"),
        ("lost", b"#!/no/such/interpreter\n", 0o755, b"No such file or directory"),
    ],
)
def test_the_output_says_why_a_program_of_the_folder_cannot_run(
    tmp_path: Path, name: str, content: bytes | None, mode: int, reason: bytes
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
        (tmp_path / name).chmod(mode)
    output = run_and_capture(f"./{name}", "secret-argument", cwd=tmp_path)
    assert output.result == CommandResult(126)
    assert output.out == b"./%s: %s\n" % (name.encode(), reason)


def test_what_no_program_can_be_given_is_a_value_too() -> None:
    assert run_and_capture("echo", "a\0b").result == CommandResult(126)
    assert run_and_capture("echo", cwd=Path("/no/such/folder")).result == CommandResult(126)


# ---- bounds ----


def test_a_hundred_megabytes_are_not_kept_and_end_the_command() -> None:
    output = shell("yes | head -c 100000000", most=1000)
    assert output.cut
    assert not output.ok
    assert output.out == b"y\n" * 500


def test_a_hundred_megabytes_can_be_let_through_a_small_tail() -> None:
    tail = LastBytes(1000)
    command = CommandSpec(("sh", "-c", "yes | head -c 100000000; echo end >&2"), ENVIRONMENT, Path("/"), HOURS)
    assert run(command, tail) == CommandResult(0)
    assert tail.data == b"y\n" * 498 + b"end\n"
    assert tail.size == 100_000_004


def test_a_file_larger_than_allowed_cannot_be_written(tmp_path: Path) -> None:
    output = shell("head -c 100000 /dev/zero > large", cwd=tmp_path, file_bytes=5000)
    assert not output.ok
    assert (tmp_path / "large").stat().st_size == 5000


def test_nothing_dumps_core(tmp_path: Path) -> None:
    assert shell("kill -SEGV $$", cwd=tmp_path).result == CommandResult(-signal.SIGSEGV)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mask", [0o077, 0o000, 0o027])
def test_whatever_mask_we_were_started_with_commands_and_servers_make_files_that_all_may_read(
    tmp_path: Path, mask: int
) -> None:
    before = os.umask(mask)
    try:
        shell("mkdir folder && touch file", cwd=tmp_path)
        with Path("/dev/null").open("wb") as nowhere:
            start_server(("sh", "-c", "touch served"), ENVIRONMENT, tmp_path, nowhere, f"{ROOT}/mask").wait()
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == {"folder": 0o755, "file": 0o644, "served": 0o644}


INTERRUPTED = """
import os, signal, sys
from pathlib import Path
from reconciler.errors import InterruptedPassError
from reconciler.host.command_spec import CommandSpec
from reconciler.host.run import capture, prepare

def stop(number, frame):
    raise InterruptedPassError(number)

prepare()
signal.signal(signal.SIGTERM, stop)
for _ in range(150):
    try:
        capture(CommandSpec(("true",), {"PATH": "/usr/bin:/bin"}, Path("/"), 60.0))
    except InterruptedPassError:
        pass
    finally:
        print(os.getpid(), flush=True)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
"""


def test_a_signal_that_meets_a_child_before_its_program_runs_makes_no_second_one_of_us() -> None:
    command = [sys.executable, "-c", INTERRUPTED]
    with subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True) as started:
        while started.poll() is None:
            with suppress(OSError, ValueError):
                for child in Path(f"/proc/{started.pid}/task/{started.pid}/children").read_text("ascii").split():
                    os.kill(int(child), signal.SIGTERM)
        assert started.stdout
        assert set(started.stdout.read().split()) == {str(started.pid)}


def test_a_child_can_be_asked_to_stop() -> None:
    blocked = re.search(rb"SigBlk:\s+([0-9a-f]+)", run_and_capture("cat", "/proc/self/status").out)
    assert blocked
    assert int(blocked[1], 16) == 0


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


def test_what_was_written_before_the_deadline_is_kept(span: str) -> None:
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


def test_many_threads_get_each_their_own_answer() -> None:
    answers: dict[int, list[bytes]] = {number: [] for number in range(8)}

    def ask(number: int) -> None:
        answers[number] += [run_and_capture("echo", f"{number}-{turn}").out for turn in range(5)]

    threads = [threading.Thread(target=ask, args=(number,)) for number in answers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {number: [f"{number}-{turn}\n".encode() for turn in range(5)] for number in range(8)}


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


# ---- servers ----


@contextmanager
def server(*argv: str, mark: str) -> Iterator[int]:
    with Path("/dev/null").open("wb") as nowhere:
        started = start_server(argv, ENVIRONMENT, Path("/"), nowhere, mark)
    try:
        # The kernel shows the environment of a program a moment after it was started.
        eventually(lambda: mark_of_pid(started.pid))
        yield started.pid
    finally:
        started.kill()
        started.wait()
        children.reap()


def test_a_server_is_found_by_its_slot_and_by_the_folder_above(span: str) -> None:
    with server("sleep", span, mark=f"{ROOT}/notes/tried") as pid:
        assert [process.pid for process in marked_below(Path(f"{ROOT}/notes/tried"))] == [pid]
        assert [process.pid for process in marked_below(Path(ROOT))] == [pid]
        assert marked_below(Path(f"{ROOT}/notes/trie")) == ()
        assert read_process(pid)
    assert marked_below(Path(ROOT)) == ()


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


# ---- secrets ----


def test_no_argument_reaches_a_log_an_exception_or_an_answer(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.NOTSET)
    logging.getLogger("sh").handlers.clear()
    output = [
        run_and_capture("true", "canary-7731"),
        run_and_capture("/etc/passwd", "canary-7731"),
        run_and_capture("echo", "canary-7731\0"),
    ]
    output += [run_and_capture("sleep", "canary-7731"), run_and_capture("no-such-program", "canary-7731")]
    words = repr([(each.result, each.out) for each in output]) + caplog.text
    assert "canary-7731" not in words
