"""The id of a state folder, which tells what runs of it from what runs of another one with the same path.

Two managers of one swarm, or a container and its host, may each have a state folder of the same path. The id is made
once and lies in the folder, so that it moves along. The file also names its own inode: in a copy that is another one,
and what runs of the original is none of the copy's.
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
    """The id in the file `path`; None where there is none, or one that was copied. Raises FolderError."""
    with file_errors(f"read {path}", FolderError):
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        with os.fdopen(descriptor, encoding="ascii", errors="replace") as file:
            said = _FORM.fullmatch(file.read(256))
            return said[1] if said and int(said[2]) == os.fstat(file.fileno()).st_ino else None


def is_identity_file(path: Path) -> bool:
    """Whether a file is one of these, also copied or not yet written; False where it cannot be read."""
    try:
        if path.is_symlink() or not path.is_file():
            return False
        with path.open("rb") as file:
            said = file.read(256).decode("ascii", "replace")
    except OSError:
        return False
    return not said or _FORM.fullmatch(said) is not None


def make_identity(path: Path) -> str:
    """The id in the file `path`; a new one where it has none. Raises FolderError."""
    with file_errors(f"write {path}", FolderError):
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            return read_identity(path) or _write_new(path)
        finally:
            os.close(folder)


def _write_new(path: Path) -> str:
    identity, fresh = uuid.uuid4().hex, path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(open_new(fresh), "w", encoding="ascii") as file:
        file.write(f"{identity} {os.fstat(file.fileno()).st_ino}\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)
    sync_folder(path.parent)
    return identity
