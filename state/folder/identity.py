"""The id of a state folder, which distinguishes its deployments from those of another state folder of the same path.

Two managers of one swarm, or a container and its host, may each have a state folder of the same path. The id is made
once and is stored in a file in the folder, so that it moves with the folder. The file also has its own inode number. In
a copy of the folder that number is wrong, and the id is not valid: the original's deployments are not the copy's.
"""

import fcntl
import os
import re
import uuid
from pathlib import Path

from state.folder.durable import file_errors, open_new, sync_folder
from state.state_errors import FolderError

_FORM = re.compile(r"([0-9a-f]{32}) (\d+)\n")


def read_identity(path: Path) -> str | None:
    """Return the id in the file `path`; None if the file is missing, invalid or a copy.

    The file has its own inode number in its text, which is wrong in a copy. Raise FolderError if the file cannot be
    read.
    """
    with file_errors(f"read {path}", FolderError):
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        with os.fdopen(descriptor, encoding="ascii", errors="replace") as file:
            match = _FORM.fullmatch(file.read(256))
            return match[1] if match and int(match[2]) == os.fstat(file.fileno()).st_ino else None


def is_identity_file(path: Path) -> bool:
    """Whether a file has the form of an id file; it may be a copy. An empty file counts. False if it cannot be read."""
    try:
        if path.is_symlink() or not path.is_file():
            return False
        with path.open("rb") as file:
            content = file.read(256).decode("ascii", "replace")
    except OSError:
        return False
    return not content or _FORM.fullmatch(content) is not None


def make_identity(path: Path) -> str:
    """Return the id in the file `path`. If there is no valid id, write a new one first.

    Two processes may do this at the same time: both get the same id. Raise FolderError if that fails.
    """
    with file_errors(f"write {path}", FolderError):
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            return read_identity(path) or _write_new(path)
        finally:
            os.close(folder)


def _write_new(path: Path) -> str:
    """Write a new id to the file `path`, flush it to the disk, and return the id.

    The file appears only when complete.
    """
    identity, fresh = uuid.uuid4().hex, path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(open_new(fresh), "w", encoding="ascii") as file:
        file.write(f"{identity} {os.fstat(file.fileno()).st_ino}\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)
    sync_folder(path.parent)
    return identity
