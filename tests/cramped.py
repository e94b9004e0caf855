"""Programs of ours in a cgroup with little memory, for the real kernel to kill what wants more."""

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CGROUPS = Path("/sys/fs/cgroup")
MOST = 200 << 20
# Wants more than that, as a child of whoever is in there.
GREEDY = (sys.executable, "-c", "x = bytearray(600 << 20); print(len(x))")


def in_little_memory(code: str, *arguments: object) -> str:
    """What a Python program of our own prints that runs so; skips where this user may make no cgroups."""
    with _cgroup() as members:
        enter = ["sh", "-c", 'echo $$ >"$0" && exec "$@"', str(members), sys.executable, "-c", code]
        done = subprocess.run(
            [*enter, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
        )
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def _cgroup() -> Iterator[Path]:
    """The file into which goes who is to be in it."""
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
