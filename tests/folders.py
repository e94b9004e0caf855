"""Makes temporary folders and folders that cannot be deleted, and lists what a folder contains."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.repositories import git

_IN_MEMORY = "/dev/shm"


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder that is gone afterwards."""
    quick = _IN_MEMORY if os.access(_IN_MEMORY, os.W_OK) else None
    with TemporaryDirectory(dir=quick) as folder:
        yield Path(folder)


@contextmanager
def undeletable_file(path: Path) -> Iterator[None]:
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
def mounted_folder(path: Path, source: Path) -> Iterator[None]:
    """Another folder bound within; skips where this user may not mount."""
    path.mkdir(parents=True)
    done = subprocess.run(["mount", "--bind", source, path], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"may not mount: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", path], check=True)


def state_folder_contents(state: Path) -> tuple[str, ...]:
    """Its files but for logs and git's objects, and the refs of its mirrors.

    A git that was killed between two of its steps leaves a ref in a file of its own, which another one packs: both say
    the same.
    """
    mirrors = sorted((state / "mirrors").glob("*.git"))
    refs = [f"{mirror.name} {line}" for mirror in mirrors for line in git(mirror, "show-ref").decode().splitlines()]
    told_by_git = {mirror / name for mirror in mirrors for name in ("refs", "packed-refs")}
    files = [
        str(path.relative_to(state))
        for path in state.rglob("*")
        if not {"objects", "logs"} & {*path.parts} and not told_by_git & {path, *path.parents}
    ]
    return (*sorted(files), *refs)
