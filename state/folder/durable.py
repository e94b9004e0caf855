"""Writes files so that they survive a power cut, and deletes folders with everything in them."""

import errno
import fcntl
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from state.state_errors import MAKE_ROOM, AgainLaterError, StateError

PRIVATE_FOLDER = 0o700
PRIVATE_FILE = 0o600

# A used-up quota is treated as a full disk.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_HINTS = {
    errno.EFBIG: "raise the limit on the size of files (ulimit -f)",
    errno.EROFS: "mount its disk for writing",
    errno.EIO: "check the disk; the files on it may be intact, so leave them where they are",
}
_MOUNTS = Path("/proc/self/mountinfo")
# The form in which mountinfo has a blank, tab, newline or backslash of a name: "\040" for a blank.
_OCTAL = re.compile(rb"\\([0-7]{3})")
_SCARCE = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})


@contextmanager
def file_errors(action: str, kind: type[StateError]) -> Iterator[None]:
    """Turn an OSError of the `with` block into an error of the class `kind`, with the message "cannot `action`: …".

    If more room on the disk or a later try may help, raise AgainLaterError instead of `kind`.
    """
    try:
        yield
    except OSError as error:
        raise _by_remedy(action, kind, error) from error


def _by_remedy(action: str, kind: type[StateError], error: OSError) -> StateError:
    """Return the error to raise for an OSError: AgainLaterError if a later try may help, an error of `kind` if not.

    The hint of the returned error says what to do. `action` is what could not be done, in words that follow "cannot".
    """
    where = f" ({os.fsdecode(error.filename)})" if isinstance(error.filename, str | bytes) else ""
    message = f"cannot {action}: {error.strerror or error}{where}"
    if error.errno in _FULL:
        return AgainLaterError(message, MAKE_ROOM)
    if error.errno in _SCARCE or error.errno == errno.EFBIG:
        return AgainLaterError(message, _HINTS.get(error.errno, ""))
    return kind(message, _HINTS.get(error.errno or 0, ""))


def make_folder(path: Path) -> None:
    """Make a private folder, and its parents, whatever the umask is. An existing folder stays as it is.

    The new folders survive a power cut. Raise OSError if they cannot be made.
    """
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    path.chmod(PRIVATE_FOLDER)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Write a folder's list of names to the disk. Otherwise a power cut may lose a new or a renamed file."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_new(path: Path) -> int:
    """Create a private file, whatever the umask is. Return its descriptor, for writing.

    Raise FileExistsError if the path exists.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, PRIVATE_FILE)
    os.fchmod(descriptor, PRIVATE_FILE)
    return descriptor


def create_once(path: Path, content: bytes) -> None:
    """Create the file `path` with this content, and write it to the disk. If the file exists already, do nothing.

    The file appears only when it is complete. If two processes do this at the same time, the file of the first is kept.
    """
    fresh = path.with_name(f"{path.name}.new")
    descriptor = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, PRIVATE_FILE)
    with os.fdopen(descriptor, "r+b") as file:
        # This may wait for another process, which may meanwhile rename this very file to `path`.
        fcntl.flock(file, fcntl.LOCK_EX)
        if path.exists():
            _unlink_if_same(fresh, file.fileno())
            return
        os.fchmod(file.fileno(), PRIVATE_FILE)
        file.truncate()
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
        fresh.rename(path)
    sync_folder(path.parent)


def replace_file(path: Path, content: bytes, mode: int = PRIVATE_FILE) -> None:
    """Write `content` to the file `path`, in place of its old content. Make the file if it is missing.

    After a crash, the file has either the old or the new content, and a temporary file may be left beside it, which the
    next call replaces. The file gets the permissions `mode`, whatever the umask is. Raise OSError if the file cannot be
    written: then its old content stays, and no temporary file is left.
    """
    fresh = path.with_name(f"{path.name}.new")
    with _error_names(path, fresh):
        fresh.unlink(missing_ok=True)
        with os.fdopen(open_new(fresh), "wb") as file, _unlinked_on_failure(fresh, file.fileno()):
            os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            fresh.rename(path)
        sync_folder(path.parent)


@contextmanager
def _error_names(path: Path, fresh: Path) -> Iterator[None]:
    """Let an OSError of the `with` block name the file `path`, and not its temporary file `fresh`, which nobody knows.

    If something else is in the way of the temporary file, such as a folder, the error names that.
    """
    try:
        yield
    except OSError as error:
        if error.filename is None or not os.path.lexists(fresh):
            error.filename, error.filename2 = str(path), None
        raise


@contextmanager
def _unlinked_on_failure(path: Path, descriptor: int) -> Iterator[None]:
    """Delete `path` if the `with` block fails and `path` still is the open file of this descriptor.

    Raise the error of the `with` block, also if `path` cannot be deleted.
    """
    try:
        yield
    except BaseException:
        with suppress(OSError):
            _unlink_if_same(path, descriptor)
        raise


def _unlink_if_same(path: Path, descriptor: int) -> None:
    """Delete `path` if it still is the open file of this descriptor. Do nothing if it is another file, or missing."""
    try:
        if os.path.samestat(path.lstat(), os.fstat(descriptor)):
            path.unlink()
    except FileNotFoundError:
        return


def remove_tree(path: Path) -> None:
    """Delete a file, or a folder with everything in it, if it exists. Read-only folders are made writable first.

    If a file system is mounted in the folder, raise OSError and delete nothing, because its files are not Canon's. If
    some paths cannot be deleted, delete all others, and then raise the first OSError.
    """
    try:
        info = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(info.st_mode):
        path.unlink()
        return
    if mounted := next(_mounts_within(path), None):
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), mounted)
    import shutil

    failures: list[OSError] = []
    _make_writable(os.fsencode(path), failures)
    shutil.rmtree(path, onerror=lambda _, place, error: _note_failure(failures, place, error[1]))
    if failures and os.path.lexists(path):
        raise failures[0]


def _note_failure(failures: list[OSError], place: str | bytes, error: BaseException) -> None:
    """Add `error`, which occurred at the path `place`, to `failures`. If `error` is no OSError, raise it instead.

    The added error names `place`, because the path in Python's own error may be incomplete. Add nothing in two cases:

    * the path is gone.
    * the path is a folder that is not empty: the error of a path in the folder is in `failures` already.
    """
    if not isinstance(error, OSError):
        raise error
    if not isinstance(error, FileNotFoundError) and error.errno != errno.ENOTEMPTY:
        failures.append(OSError(error.errno, os.strerror(error.errno or errno.EIO), os.fsdecode(place)))


def _mounts_within(path: Path) -> Iterator[str]:
    """Yield the mount points at or below `path`, also of bind mounts, as the kernel lists them."""
    root = os.fsencode(path.parent.resolve() / path.name)
    for line in _MOUNTS.read_bytes().splitlines():
        point = _OCTAL.sub(lambda match: bytes([int(match[1], 8)]), line.split()[4])
        if point == root or point.startswith(root + b"/"):
            yield os.fsdecode(point)


def _make_writable(root: bytes, failures: list[OSError]) -> None:
    """Make `root` and every folder below it writable, because apps may leave read-only folders.

    An OSError is not raised, but added to `failures`.
    """
    _give_access(root, failures)
    for parent, names, _ in os.walk(root):
        for name in names:
            _give_access(os.path.join(parent, name), failures)  # noqa: PTH118 - names may not be text


def _give_access(folder: bytes, failures: list[OSError]) -> None:
    """Let the owner read, write and enter a folder. Do nothing for a file. An OSError is added to `failures`."""
    try:
        mode = os.lstat(folder).st_mode
        if stat.S_ISDIR(mode) and mode & PRIVATE_FOLDER != PRIVATE_FOLDER:
            os.chmod(folder, PRIVATE_FOLDER)  # noqa: PTH101 - names may not be text
    except OSError as error:
        _note_failure(failures, folder, error)
