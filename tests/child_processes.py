"""Starts real processes: for tests to kill, to wait for, or to run short of memory."""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CGROUPS = Path("/sys/fs/cgroup")
MOST = 200 << 20
# A command that needs more memory than MOST.
GREEDY = (sys.executable, "-c", "x = bytearray(600 << 20); print(len(x))")


def read_of_process(path: Path) -> bytes:
    """Return the content of a file below /proc; b"" if its process has ended meanwhile."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def slot_processes(below: Path) -> list[int]:
    """Return the pids of all processes that are marked with a slot below a folder."""
    mark = f"CANON_SLOT={below}/".encode()
    return [int(path.parent.name) for path in Path("/proc").glob("[0-9]*/environ") if mark in read_of_process(path)]


def output_in_little_memory(code: str, *arguments: object) -> str:
    """Run Python code in a cgroup of MOST bytes and return what it prints. Skips where no cgroup can be made."""
    with _cgroup() as members:
        enter = ["sh", "-c", 'echo $$ >"$0" && exec "$@"', str(members), sys.executable, "-c", code]
        done = subprocess.run(
            [*enter, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
        )
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def _cgroup() -> Iterator[Path]:
    """Make a cgroup with little memory. Yields the file to which a process writes its pid to enter the group."""
    old = CGROUPS / "memory"
    folder = (old if old.exists() else CGROUPS) / f"canon-test-{uuid.uuid4().hex}"
    limits = (
        {"memory.limit_in_bytes": MOST, "memory.swappiness": 0}
        if old.exists()
        else {"memory.max": MOST, "memory.swap.max": 0}
    )
    try:
        folder.mkdir()
    except OSError as refused:
        pytest.skip(f"may make no cgroup: {refused}")
    try:
        for name, limit in limits.items():
            if os.access(folder / name, os.W_OK):
                (folder / name).write_text(str(limit))
        yield folder / "cgroup.procs"
    finally:
        folder.rmdir()


PATIENCE = 60.0


@contextmanager
def python_child(code: str, *arguments: object) -> Iterator["subprocess.Popen[str]"]:
    """Start a Python process that runs `code`, and kill it at the end."""
    argv = [sys.executable, "-c", code, *map(str, arguments)]
    process = subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def next_line(process: "subprocess.Popen[str]") -> str:
    """Return the next line that the child prints. Fails if the child ends first."""
    assert process.stdout is not None
    said = process.stdout.readline()
    assert said, f"the child ended with {process.wait()}"
    return said.strip()


def kill_child(process: "subprocess.Popen[str]") -> list[str]:
    """Kill the child with SIGKILL and return the lines that it had printed and nobody had read."""
    process.send_signal(signal.SIGKILL)
    said, _ = process.communicate()
    assert process.returncode == -signal.SIGKILL
    return said.splitlines()


def wait_until(happened: Callable[[], bool]) -> None:
    """Wait until `happened` returns true. Fails after PATIENCE seconds."""
    over = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < over, "it did not happen"
        time.sleep(0.001)


def pid_exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
