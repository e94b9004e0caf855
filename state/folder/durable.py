"""Writing so that it stays, and deleting so that it goes."""

import errno
import fcntl
import os
import re
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from state.state_errors import AgainLaterError, StateError

PRIVATE_FOLDER = 0o700
PRIVATE_FILE = 0o600

# A quota that is used up is a full disk by another name.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_HINTS = {
    errno.EFBIG: "raise the limit on the size of files (ulimit -f)",
    errno.EROFS: "mount its disk for writing",
    errno.EIO: "look at the disk; what is there may be whole, so leave it where it is",
}
_MOUNTS = Path("/proc/self/mountinfo")
# A blank, tab, newline or backslash in a name, as the kernel writes it there.
_OCTAL = re.compile(rb"\\([0-7]{3})")
_SCARCE = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})


@contextmanager
def file_errors(doing: str, kind: type[StateError]) -> Iterator[None]:
    """Turn an OSError into `kind`, or into AgainLaterError where waiting or making room helps."""
    try:
        yield
    except OSError as error:
        raise _by_remedy(doing, kind, error) from error


def _by_remedy(doing: str, kind: type[StateError], error: OSError) -> StateError:
    where = f" ({os.fsdecode(error.filename)})" if isinstance(error.filename, str | bytes) else ""
    message = f"cannot {doing}: {error.strerror or error}{where}"
    if error.errno in _FULL:
        return AgainLaterError(message, "make room on the disk of the state folder")
    if error.errno in _SCARCE or error.errno == errno.EFBIG:
        return AgainLaterError(message, _HINTS.get(error.errno, ""))
    return kind(message, _HINTS.get(error.errno or 0, ""))


def make_folder(path: Path) -> None:
    """Make a private folder whatever the umask, parents included; one that is there is left as it is."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    path.chmod(PRIVATE_FOLDER)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Flush the names in a folder, without which a new or renamed file may be gone after a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_new(path: Path) -> int:
    """A descriptor of a new private file, whatever the umask."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, PRIVATE_FILE)
    os.fchmod(descriptor, PRIVATE_FILE)
    return descriptor


def create_once(path: Path, content: bytes) -> None:
    """Make the file `path` whole or not at all; one that is there already, or comes meanwhile, is kept."""
    fresh = path.with_name(f"{path.name}.new")
    descriptor = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, PRIVATE_FILE)
    with os.fdopen(descriptor, "r+b") as file:
        # Whoever waited here may find that the other has renamed this very file to `path`.
        fcntl.flock(file, fcntl.LOCK_EX)
        if path.exists():
            _unlink_if_ours(fresh, file.fileno())
            return
        os.fchmod(file.fileno(), PRIVATE_FILE)
        file.truncate()
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
        fresh.rename(path)
    sync_folder(path.parent)


def replace_file(path: Path, content: bytes) -> None:
    """Give the private file `path` a new content, whole or not at all."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(open_new(fresh), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)
    sync_folder(path.parent)


def _unlink_if_ours(path: Path, descriptor: int) -> None:
    try:
        if os.path.samestat(path.lstat(), os.fstat(descriptor)):
            path.unlink()
    except FileNotFoundError:
        return


def remove_tree(path: Path) -> None:
    """Delete a file or a folder with all that is in it, also below folders that forbid it; absence is fine.

    Nothing is deleted where something is mounted within: what lies there is somebody else's. Of what will not go the
    first is raised as an OSError with its whole path, once all the rest is deleted.
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
    failures: list[OSError] = []
    _open_up(os.fsencode(path), failures)
    shutil.rmtree(path, onerror=lambda _, place, error: _note_failure(failures, place, error[1]))
    if failures and os.path.lexists(path):
        raise failures[0]


def _note_failure(failures: list[OSError], place: str | bytes, error: BaseException) -> None:
    """Python names a file below a folder by its last part alone."""
    if not isinstance(error, OSError):
        raise error
    if not isinstance(error, FileNotFoundError) and error.errno != errno.ENOTEMPTY:
        failures.append(OSError(error.errno, os.strerror(error.errno or errno.EIO), os.fsdecode(place)))


def _mounts_within(path: Path) -> Iterator[str]:
    """Where something is mounted at or below `path`, as the kernel lists it: also what binds another folder there."""
    above = os.fsencode(path.parent.resolve() / path.name)
    for line in _MOUNTS.read_bytes().splitlines():
        point = _OCTAL.sub(lambda found: bytes([int(found[1], 8)]), line.split()[4])
        if point == above or point.startswith(above + b"/"):
            yield os.fsdecode(point)


def _open_up(root: bytes, failures: list[OSError]) -> None:
    """Let the owner into every folder below `root`: an app may leave some that not even their owner may write."""
    _let_in(root, failures)
    for above, names, _ in os.walk(root):
        for name in names:
            _let_in(os.path.join(above, name), failures)  # noqa: PTH118 - names may be no text


def _let_in(folder: bytes, failures: list[OSError]) -> None:
    try:
        mode = os.lstat(folder).st_mode
        if stat.S_ISDIR(mode) and mode & PRIVATE_FOLDER != PRIVATE_FOLDER:
            os.chmod(folder, PRIVATE_FOLDER)  # noqa: PTH101 - names may be no text
    except OSError as error:
        _note_failure(failures, folder, error)
