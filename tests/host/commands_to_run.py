"""Runs small shell commands, and finds the processes that they leave."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from reconciler.host.command_spec import CapturedOutput, CommandSpec
from reconciler.host.processes import subreaper as children
from reconciler.host.processes.procfs import SLOT_MARK, living_processes, mark_of, read_process
from reconciler.host.run import capture, start_server

T = TypeVar("T")


ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
HOURS = 7200.0


# Slots of this process alone: other workers run the same tests at the same time.
ROOT = f"/slots/{os.getpid()}"


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
