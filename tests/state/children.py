"""Real processes for the tests to kill: each runs one piece of Python and says when it has come so far."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0


@contextmanager
def child(code: str, *arguments: object) -> Iterator["subprocess.Popen[str]"]:
    """A Python process that runs `code`; it is gone afterwards, whatever happened."""
    argv = [sys.executable, "-c", code, *map(str, arguments)]
    process = subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def line(process: "subprocess.Popen[str]") -> str:
    """The next line that the child says; fails if it ends instead."""
    assert process.stdout is not None
    said = process.stdout.readline()
    assert said, f"the child ended with {process.wait()}"
    return said.strip()


def kill(process: "subprocess.Popen[str]") -> list[str]:
    """End it as a power cut would, and return what it had still said."""
    process.send_signal(signal.SIGKILL)
    said, _ = process.communicate()
    assert process.returncode == -signal.SIGKILL
    return said.splitlines()


def until(happened: Callable[[], bool]) -> None:
    """Wait for something that is bound to happen soon."""
    over = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < over, "it did not happen"
        time.sleep(0.001)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
