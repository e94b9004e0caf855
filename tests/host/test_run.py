import logging
import os
import re
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from reconciler.host.command_spec import CommandSpec
from reconciler.host.output import LastBytes
from reconciler.host.run import capture, run, start_server
from reconciler.ports.commands import CommandResult
from tests.host.commands_to_run import ENVIRONMENT, HOURS, ROOT, run_and_capture, shell

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


def test_an_argument_that_no_program_can_get_is_a_failed_result() -> None:
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
def test_commands_and_servers_make_readable_files_whatever_the_umask(tmp_path: Path, mask: int) -> None:
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


# ---- secrets ----


def test_no_argument_reaches_a_log_an_exception_or_an_answer(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.NOTSET)
    output = [
        run_and_capture("true", "canary-7731"),
        run_and_capture("/etc/passwd", "canary-7731"),
        run_and_capture("echo", "canary-7731\0"),
    ]
    output += [run_and_capture("sleep", "canary-7731"), run_and_capture("no-such-program", "canary-7731")]
    words = repr([(each.result, each.out) for each in output]) + caplog.text
    assert "canary-7731" not in words
