"""The served copy of one upstream: made, mended after a kill, and changed in one step or not at all."""

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import evolve, frozen

from reconciler.host.git.git_faults import harmless_settings
from reconciler.host.git.refs import RefPlan, Refs, delete_conflicting_branches, read_packed_refs, update_ref_input
from reconciler.host.git.repository import Repository
from reconciler.host.text import ref_bytes

_CONFIG = """\
[core]
	repositoryformatversion = 0
	bare = true
	hooksPath = /dev/null
	fsync = all,-reference
	logAllRefUpdates = false
[transfer]
	fsckObjects = true
[receive]
	fsckObjects = true
	maxInputSize = {most}
	denyDeletes = true
	unpackLimit = 1
	autogc = false
[gc]
	auto = 0
[maintenance]
	auto = false
""" + harmless_settings("receive")

# Where upstream has no main branch; git takes a folder without a HEAD for no repository.
_NO_BRANCH = "none"

_WHOLE = re.compile(rb"[0-9a-f]{40}\n")

# Files are written just as they were committed, whatever the tree asks git to do to them.
_ATTRIBUTES = "* -text -eol -ident -filter -working-tree-encoding\n"


@frozen
class MirrorRepository:
    """`most` bounds, in bytes, what one update may bring."""

    repository: Repository
    most: int

    @property
    def path(self) -> Path:
        return self.repository.path

    def make_ready(self) -> Path | None:
        """Make the repository where it is missing or broken, and clear away what a killed run left.

        Under this copy's lock. Returns where a broken one was laid aside.
        """
        self._unlock()
        laid_aside = None if self._is_whole() else self._lay_aside()
        if not (self.path / "HEAD").exists():
            self.repository.do("init", "--quiet", "--bare", "--template=", str(self.path))
        _write(self.path / "config", _CONFIG.format(most=self.most).encode())
        (self.path / "info").mkdir(exist_ok=True)
        _write(self.path / "info" / "attributes", _ATTRIBUTES.encode())
        return laid_aside

    def _is_whole(self) -> bool:
        """Whether every object that a ref leads to is there; so it is where nothing was made yet.

        Raises InfrastructureError where git could not look.
        """
        return not (self.path / "HEAD").exists() or self.repository.holds("--all")

    def _lay_aside(self) -> Path:
        # Not deleted: it may hold the only copy of a release that upstream dropped.
        shutil.rmtree(self.damaged, ignore_errors=True)
        return self.path.rename(self.damaged)

    @property
    def damaged(self) -> Path:
        """Where a broken copy is laid aside until the recipe is forgotten, or another one breaks."""
        return self.path.with_name(f".{self.path.name}.damaged")

    def _unlock(self) -> None:
        # Whoever writes here holds the lock of this copy, and so does what outlives him: these belong to the dead.
        for lock in (*self.path.glob("*.lock"), *self.path.glob("refs/**/*.lock")):
            lock.unlink()
        for left in (*self.path.glob("objects/tmp_objdir-*"), *self.path.glob("objects/incoming-*")):
            shutil.rmtree(left)
        for left in self.path.glob("objects/*/tmp_*"):
            left.unlink()
        shutil.rmtree(self.path / "refs" / "incoming", ignore_errors=True)
        for ref in self.path.glob("refs/**/*"):
            # What a power failure leaves of a ref that was not flushed; git neither reads nor replaces it.
            if ref.is_file() and not _WHOLE.fullmatch(ref.read_bytes()):
                ref.unlink()

    def take_over(self, held: Refs, goal: RefPlan, arrived: Refs) -> None:
        """Make of the refs `held` what `goal` says, in one step.

        Only a branch which stands in the way of the new one goes before that.
        """
        if obstacles := delete_conflicting_branches(held, goal.branch):
            self._change(obstacles)
            held = self.repository.refs()
        if changes := update_ref_input(held, goal, arrived):
            self._change(changes)
        _write(self.path / "HEAD", b"ref: refs/heads/" + ref_bytes(goal.branch or _NO_BRANCH) + b"\n")
        self.repository.do("pack-refs", "--all")

    def _change(self, changes: bytes) -> None:
        # To flush a thousand refs one by one takes minutes; packing flushes them all at once, right after.
        evolve(self.repository, flushed="all,-reference").do("update-ref", "-z", "--stdin", stdin=changes)

    def glance(self) -> Refs:
        """The refs, read without a process where all of them are packed, as after every update.

        None where a pack of objects is gone: such a copy is as good as missing. What is broken within a pack is
        found in using it.
        """
        if not self._has_its_packs():
            return Refs()
        if not any(_files_below(self.path / "refs" / space) for space in ("heads", "tags")):
            packed = self.path / "packed-refs"
            refs = read_packed_refs(packed.read_bytes()) if packed.exists() else Refs()
            if refs is not None:
                return refs
        return self.repository.refs()

    def _has_its_packs(self) -> bool:
        packs = list((self.path / "objects" / "pack").glob("pack-*"))
        indexed, there = ({pack.stem for pack in packs if pack.suffix == kind} for kind in (".idx", ".pack"))
        return indexed == there and (bool(there) or not (self.path / "packed-refs").exists())


@contextmanager
def locked(path: Path) -> Iterator[int]:
    """Wait to be the only one who writes to the served copy at `path`; the descriptor of its lock."""
    descriptor = os.open(lock_path(path), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def lock_path(path: Path) -> Path:
    return path.with_name(f".{path.name}.lock")


def _files_below(folder: Path) -> bool:
    return any(files for _, _, files in os.walk(folder))


def _write(path: Path, content: bytes) -> None:
    """Replace a file in one step, unless it says so already."""
    if path.exists() and path.read_bytes() == content:
        return
    new = path.with_name(f".{path.name}.new")
    with new.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
