"""Writes the tracked files of one commit into a folder, and compares the folder with the commit later."""

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from attrs import frozen

from desired.unprintable import escape_unprintable
from reconciler.errors import RecipeError
from reconciler.host.git.repository import Repository
from reconciler.host.output import MIB
from reconciler.host.text import decoded
from reconciler.ports.repositories import Alterations

MOST_BYTES = 2048 * MIB
MOST_FILES = 200_000

_MODULE = b"160000"
_EXECUTABLE = b"100755"

# The first line of a Git LFS pointer, and a size in bytes: by the specification, every pointer is smaller.
_LFS_HEADER = b"version https://git-lfs.github.com/spec/v1\n"
_LARGEST_POINTER = 1024
_NO_CONTENT = "Git LFS is not fetched, these files are pointers"
_MOST_NAMED = 5


@frozen
class TrackedFile:
    """A file, link or submodule that a commit tracks.

    * `mode`: its mode as `git ls-tree` prints it, such as b"100644".
    * `oid`: the id of its object.
    * `size`: its size in bytes; 0 for a submodule.
    """

    mode: bytes
    oid: str
    size: int


def tracked_files(repository: Repository, commit: str) -> dict[bytes, TrackedFile]:
    """Return the files that `commit` tracks, also links and submodules. The keys are their paths in bytes.

    Raise InfrastructureError if git fails.
    """
    printed = repository.run("ls-tree", "-r", "-l", "-z", "--full-tree", commit)
    return dict(_entry(record) for record in printed.split(b"\0") if record)


def _entry(record: bytes) -> tuple[bytes, TrackedFile]:
    info, _, path = record.partition(b"\t")
    mode, _, oid, size = info.split()
    return path, TrackedFile(mode, oid.decode("ascii"), 0 if size == b"-" else int(size))


def refuse_unsafe(files: Mapping[bytes, TrackedFile], most_bytes: int = MOST_BYTES) -> None:
    """Raise RecipeError if `files`, the tracked files of a commit by path, must not be written to this host.

    There are three reasons: a path leads outside of the folder or into `.git`; there are more than MOST_FILES files;
    all files together have more than `most_bytes` bytes.
    """
    for path in files:
        parts = path.split(b"/")
        if any(part in (b"", b".", b"..") or part.lower() == b".git" for part in parts):
            raise RecipeError(
                f"the commit tracks a path that must not be written: {escape_unprintable(decoded(path))[:120]}"
            )
    if len(files) > MOST_FILES:
        raise RecipeError(f"the commit tracks more than {MOST_FILES} files")
    if (size := sum(file.size for file in files.values())) > most_bytes:
        raise RecipeError(f"the commit's files have {size} bytes; more than {most_bytes} are not written")


def write_files(repository: Repository, commit: str, into: Path) -> None:
    """Write the tracked files of `commit` into the empty folder `into`. Raise InfrastructureError if git fails.

    A symbolic link becomes a plain file with the link's target in it, so that no path in the folder leads outside.
    """
    index = into.with_name(f".{into.name}.index")
    variables = {"GIT_INDEX_FILE": str(index), "GIT_WORK_TREE": str(into)}
    try:
        repository.run("read-tree", commit, variables=variables)
        repository.run("checkout-index", "--all", "--quiet", f"--prefix={into.absolute()}/", variables=variables)
    finally:
        for left in (index, index.with_name(index.name + ".lock")):
            left.unlink(missing_ok=True)


def compare_files(files: Mapping[bytes, TrackedFile], folder: Path) -> Alterations:
    """Return how `folder` differs from `files`: the tracked files of the commit that was written there.

    Contents and executable bits are compared, not dates. Submodules and unchanged Git LFS pointers count as not
    fetched, and not as changed.
    """
    actual = dict(_entries(folder))
    expected = {path: file for path, file in files.items() if file.mode != _MODULE}
    same = {path for path, file in expected.items() if path in actual and _is_same(actual[path], file)}
    return Alterations(
        _paths(expected.keys() - same),
        _paths(actual.keys() - expected.keys()),
        _unfetched(_paths(files.keys() - expected.keys()), "submodules are not fetched")
        + _unfetched(_paths(path for path in same if _is_pointer(actual[path], files[path])), _NO_CONTENT),
    )


def _paths(paths: Iterable[bytes]) -> tuple[str, ...]:
    return tuple(sorted(escape_unprintable(decoded(path)) for path in paths))


def _unfetched(paths: Sequence[str], what: str) -> tuple[str, ...]:
    if not paths:
        return ()
    more = f" and {len(paths) - _MOST_NAMED} more" if len(paths) > _MOST_NAMED else ""
    return (f"{what}: {', '.join(paths[:_MOST_NAMED])}{more}",)


def _is_pointer(path: Path, file: TrackedFile) -> bool:
    """Return whether the file at `path` is a Git LFS pointer instead of the content. `file` is its entry in git."""
    if not len(_LFS_HEADER) < file.size < _LARGEST_POINTER:
        return False
    with path.open("rb") as opened:
        return opened.read(len(_LFS_HEADER)) == _LFS_HEADER


def _entries(folder: Path) -> Iterator[tuple[bytes, Path]]:
    """Yield the path of each file and link below `folder`, relative and in bytes, and its full path.

    Links are not followed.
    """
    for path in folder.rglob("*"):
        if path.is_symlink() or not path.is_dir():
            yield os.fsencode(path.relative_to(folder)), path


def _is_same(path: Path, file: TrackedFile) -> bool:
    info = path.lstat()
    executable = bool(info.st_mode & stat.S_IXUSR)
    if not stat.S_ISREG(info.st_mode) or info.st_size != file.size or executable != (file.mode == _EXECUTABLE):
        return False
    digest = hashlib.sha1(b"blob %d\0" % file.size, usedforsecurity=False)
    with path.open("rb") as opened:
        while chunk := opened.read(MIB):
            digest.update(chunk)
    return digest.hexdigest() == file.oid
