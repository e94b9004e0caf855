"""The id of a state folder. It tells the deployments of this folder from those of other folders with the same path.

Two managers of one swarm, or a container and its host, may each have a state folder of the same path. The id is made
once, and stored in a file in the folder, so that it moves with the folder. The file also has its own inode number as
text. In a copy of the folder this number is wrong, which makes the id invalid: the copy gets no deployments of the
original.
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
    """Return the id in the file `path`; None if the file is missing or invalid, or is a copy of another id file.

    The file has its own inode number as text. In a copy, that number is wrong. Raise FolderError if the file cannot be
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
    """Return whether a file has the form of an id file, or is empty. A copy of an id file counts too.

    Return False if the file cannot be read.
    """
    try:
        if path.is_symlink() or not path.is_file():
            return False
        with path.open("rb") as file:
            content = file.read(256).decode("ascii", "replace")
    except OSError:
        return False
    return not content or _FORM.fullmatch(content) is not None


def make_identity(path: Path) -> str:
    """Return the id in the file `path`. If the file has no valid id, write a new id first.

    If two processes do this at the same time, both get the same id. Raise FolderError if the file cannot be read or
    written.
    """
    with file_errors(f"write {path}", FolderError):
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            return read_identity(path) or _write_new(path)
        finally:
            os.close(folder)


def _write_new(path: Path) -> str:
    """Make a new id, and write it to the file `path`, durably: a power cut does not undo this. Return the id.

    The file appears only when it is complete.
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
