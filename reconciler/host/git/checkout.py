"""The tracked files of one commit, written into a folder and compared with it later."""

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

_LINK = b"120000"
_MODULE = b"160000"
_EXECUTABLE = b"100755"

# How a pointer of Git LFS begins, and below how many bytes its specification holds it.
_POINTER = b"version https://git-lfs.github.com/spec/v1\n"
_LARGEST_POINTER = 1024
_NO_CONTENT = "Git LFS is not fetched, these files are pointers"
_MOST_NAMED = 5


@frozen
class TrackedFile:
    """One tracked file as git has it; `size` is in bytes, 0 for a submodule."""

    mode: bytes
    oid: str
    size: int


def tracked_files(repository: Repository, commit: str) -> dict[bytes, TrackedFile]:
    """What `commit` tracks, by path."""
    printed = repository.do("ls-tree", "-r", "-l", "-z", "--full-tree", commit)
    return dict(_entry(record) for record in printed.split(b"\0") if record)


def _entry(record: bytes) -> tuple[bytes, TrackedFile]:
    about, _, path = record.partition(b"\t")
    mode, _, oid, size = about.split()
    return path, TrackedFile(mode, oid.decode("ascii"), 0 if size == b"-" else int(size))


def refuse_unsafe(files: Mapping[bytes, TrackedFile], most_bytes: int = MOST_BYTES) -> None:
    """Raises RecipeError where a tree would leave its folder, reach into git's own, or fill the disk."""
    for path in files:
        parts = path.split(b"/")
        if any(part in (b"", b".", b"..") or part.lower() == b".git" for part in parts):
            raise RecipeError(
                f"the commit tracks a path that nobody may write: {escape_unprintable(decoded(path))[:120]}"
            )
    if len(files) > MOST_FILES:
        raise RecipeError(f"the commit tracks more than {MOST_FILES} files")
    if (size := sum(file.size for file in files.values())) > most_bytes:
        raise RecipeError(f"the commit's files have {size} bytes; more than {most_bytes} are not written")


def write_files(repository: Repository, commit: str, into: Path) -> None:
    """Write what `commit` tracks into the empty folder `into`.

    A symbolic link becomes a plain file that names its target, so that nothing in the folder leads out of it.
    """
    index = into.with_name(f".{into.name}.index")
    also = {"GIT_INDEX_FILE": str(index), "GIT_WORK_TREE": str(into)}
    try:
        repository.do("read-tree", commit, also=also)
        repository.do("checkout-index", "--all", "--quiet", f"--prefix={into.absolute()}/", also=also)
    finally:
        for left in (index, index.with_name(index.name + ".lock")):
            left.unlink(missing_ok=True)


def compare_files(files: Mapping[bytes, TrackedFile], folder: Path) -> Alterations:
    """How `folder` differs from what `write_files` wrote there, by content and not by date."""
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
    """Whether a file holds no content of its own but a pointer to it, as Git LFS leaves in trees."""
    if not len(_POINTER) < file.size < _LARGEST_POINTER:
        return False
    with path.open("rb") as opened:
        return opened.read(len(_POINTER)) == _POINTER


def _entries(folder: Path) -> Iterator[tuple[bytes, Path]]:
    """Everything below `folder` that is no folder, by its path from there; no link is followed."""
    for path in folder.rglob("*"):
        if path.is_symlink() or not path.is_dir():
            yield os.fsencode(path.relative_to(folder)), path


def _is_same(path: Path, file: TrackedFile) -> bool:
    about = path.lstat()
    runs = bool(about.st_mode & stat.S_IXUSR)
    if not stat.S_ISREG(about.st_mode) or about.st_size != file.size or runs != (file.mode == _EXECUTABLE):
        return False
    digest = hashlib.sha1(b"blob %d\0" % file.size, usedforsecurity=False)
    with path.open("rb") as opened:
        while chunk := opened.read(MIB):
            digest.update(chunk)
    return digest.hexdigest() == file.oid
