"""What nobody can delete: an immutable file, and a folder in which another one is mounted."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def immutable(path: Path) -> Iterator[None]:
    """A file that nobody can delete; skips where that cannot be had."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    if (
        not shutil.which("chattr")
        or subprocess.run(["chattr", "+i", path], capture_output=True, check=False).returncode
    ):
        pytest.skip("chattr +i needs root and a file system that knows it")
    try:
        yield
    finally:
        subprocess.run(["chattr", "-i", path], check=True)


@contextmanager
def mounted(path: Path, source: Path) -> Iterator[None]:
    """Another folder bound within; skips where this user may not mount."""
    path.mkdir(parents=True)
    done = subprocess.run(["mount", "--bind", source, path], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"may not mount: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", path], check=True)
