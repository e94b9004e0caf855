"""A lock on a file. It ends when the last process that has its descriptor ends, so a dead process leaves no lock."""

import fcntl
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from attrs import frozen

from state.folder.durable import PRIVATE_FILE, file_errors
from state.folder.holders import Holder, holder
from state.state_errors import FolderError, LockHeldError

__all__ = ["Holder", "Lock", "hold", "holder", "is_lock_file"]

_SIGNED = b'{"pid": '


@frozen
class Lock:
    """A lock that is held. A child process that inherits `descriptor` holds the lock even after this process ended."""

    path: Path
    descriptor: int


@contextmanager
def hold(path: Path, command: str) -> Iterator[Lock]:
    """Hold a lock on the file `path` during the `with` block. Make the file if it is missing.

    `command` is written into the file, for people to read. A child process that still has the descriptor after the
    block goes on holding the lock. Raise LockHeldError at once if another process holds the lock, FolderError if the
    file cannot be opened.
    """
    with file_errors(f"lock {path}", FolderError):
        descriptor = _acquire(path)
    try:
        _sign(descriptor, command)
        yield Lock(path, descriptor)
    finally:
        os.close(descriptor)


def is_lock_file(path: Path, *, signed: bool = False) -> bool:
    """Return whether `path` is a lock file that `hold` made. Return False if it cannot be read.

    An empty file counts as a lock file if `signed` is False, because `hold` leaves the file empty if the disk is full.
    If `signed` is True, an empty file does not count as a lock file.
    """
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return False
        with path.open("rb") as file:
            start = file.read(len(_SIGNED))
    except OSError:
        return False
    return start == _SIGNED or (not signed and not start.strip(b"\0"))


def _acquire(path: Path) -> int:
    """Lock the file `path`, and return its descriptor. Raise LockHeldError if another process holds the lock.

    If another process removes the file meanwhile, for example with its whole slot, make the file again, and lock the
    new file.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, PRIVATE_FILE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(path, descriptor):
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            raise _held(path) from None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _is_at(path: Path, descriptor: int) -> bool:
    """Return whether the open file of this descriptor is still the one at `path`."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _held(path: Path) -> LockHeldError:
    """Return the error that says which process holds the lock on the file `path`."""
    by = holder(path) or "a process that cannot be seen from here"
    return LockHeldError(f"{path} is held by {by}", "wait until it has ended; then the lock is free")


def _sign(descriptor: int, command: str) -> None:
    """Write pid, command and time into the lock file.

    If the disk is full, the file stays empty and the lock still holds.
    """
    signature = {"pid": os.getpid(), "command": command, "since": datetime.now(UTC).isoformat(timespec="seconds")}
    os.fchmod(descriptor, PRIVATE_FILE)
    with suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{json.dumps(signature)}\n".encode("ascii"), 0)
