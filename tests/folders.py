"""Makes temporary folders and folders that cannot be deleted, and lists what a folder contains."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.repositories import git

_IN_MEMORY = "/dev/shm"


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Make a temporary folder, in memory where the system allows it, and delete it at the end."""
    quick = _IN_MEMORY if os.access(_IN_MEMORY, os.W_OK) else None
    with TemporaryDirectory(dir=quick) as folder:
        yield Path(folder)


@contextmanager
def undeletable_file(path: Path) -> Iterator[None]:
    """Make a file that nobody can delete (chattr +i). Skips where that is not possible."""
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
def mounted_folder(path: Path, source: Path, *, read_only: bool = False) -> Iterator[None]:
    """Mount `source` at the new folder `path`. Skips where this user may not mount."""
    path.mkdir(parents=True)
    done = subprocess.run(["mount", "--bind", source, path], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"may not mount: {done.stderr.strip()}")
    try:
        if read_only:
            subprocess.run(["mount", "-o", "remount,bind,ro", path], check=True)
        yield
    finally:
        subprocess.run(["umount", path], check=True)


def state_folder_contents(state: Path) -> tuple[str, ...]:
    """List the files of a state folder, and the refs of its mirrors. Logs and git's objects are left out.

    git may keep a ref in its own file or in `packed-refs`, so these files are left out too.
    """
    mirrors = sorted((state / "mirrors").glob("*.git"))
    refs = [f"{mirror.name} {line}" for mirror in mirrors for line in git(mirror, "show-ref").decode().splitlines()]
    ref_files = {mirror / name for mirror in mirrors for name in ("refs", "packed-refs")}
    files = [
        str(path.relative_to(state))
        for path in state.rglob("*")
        if not {"objects", "logs"} & {*path.parts} and not ref_files & {path, *path.parents}
    ]
    return (*sorted(files), *refs)


def entries_below(folder: Path) -> dict[str, str]:
    """Describe a folder and each entry below it by mode, content, inode and times, without atime."""
    paths = (path for path in sorted([folder, *folder.rglob("*")]) if os.path.lexists(path))
    return {str(path.relative_to(folder)): _describe(path) for path in paths}


def _describe(path: Path) -> str:
    status = path.lstat()
    content = sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
    return f"{status.st_mode:o} {content} {status.st_ino} {status.st_mtime_ns} {status.st_ctime_ns}"
