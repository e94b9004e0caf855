"""The mirror of one upstream: it is made, repaired after a killed run, and its refs are updated in one transaction."""

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
from state.folder.durable import replace_file

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

# The branch in HEAD if upstream has no main branch. Git does not accept a repository without HEAD.
_NO_BRANCH = "none"

_COMPLETE_REF = re.compile(rb"[0-9a-f]{40}\n")

# Checked-out files are byte for byte as committed, even if the tree has a `.gitattributes`.
_ATTRIBUTES = "* -text -eol -ident -filter -working-tree-encoding\n"


@frozen
class MirrorRepository:
    """The bare repository of a mirror. `most` is the size limit in bytes of one push into the repository."""

    repository: Repository
    most: int

    @property
    def path(self) -> Path:
        return self.repository.path

    def prepare(self) -> Path | None:
        """Make the repository if it is missing or damaged. Remove the temporary files of a killed run.

        A damaged repository is first moved to the path `damaged`. In this case return that path; None if nothing was
        moved. The caller must hold the lock of the mirror. Raise InfrastructureError if git cannot check the
        repository.
        """
        self._remove_temporary_files()
        moved_to = None if self._is_complete() else self._move_away()
        if not (self.path / "HEAD").exists():
            self.repository.run("init", "--quiet", "--bare", "--template=", str(self.path))
        _write(self.path / "config", _CONFIG.format(most=self.most).encode())
        (self.path / "info").mkdir(exist_ok=True)
        _write(self.path / "info" / "attributes", _ATTRIBUTES.encode())
        return moved_to

    def _is_complete(self) -> bool:
        """Return whether the repository has all objects of its refs, or does not exist yet.

        Raise InfrastructureError if git cannot tell, for example after a disk error or a timeout.
        """
        return not (self.path / "HEAD").exists() or self.repository.has_objects("--all")

    def _move_away(self) -> Path:
        # Not deleted: it may hold the only copy of a release that upstream dropped.
        shutil.rmtree(self.damaged, ignore_errors=True)
        return self.path.rename(self.damaged)

    @property
    def damaged(self) -> Path:
        """Return the path to which a damaged repository is moved.

        The repository stays there until the mirror is dropped, or is damaged again.
        """
        return self.path.with_name(f".{self.path.name}.damaged")

    def _remove_temporary_files(self) -> None:
        # Every writer holds the lock of the mirror, and so do its children: the owners of these files are dead.
        for lock in (*self.path.glob("*.lock"), *self.path.glob("refs/**/*.lock")):
            lock.unlink()
        for left in (*self.path.glob("objects/tmp_objdir-*"), *self.path.glob("objects/incoming-*")):
            shutil.rmtree(left)
        for left in self.path.glob("objects/*/tmp_*"):
            left.unlink()
        shutil.rmtree(self.path / "refs" / "incoming", ignore_errors=True)
        for ref in self.path.glob("refs/**/*"):
            # After a power failure, a ref that was not flushed is cut off. Git neither reads nor replaces such a file.
            if ref.is_file() and not _COMPLETE_REF.fullmatch(ref.read_bytes()):
                ref.unlink()

    def update_refs(self, held: Refs, plan: RefPlan, arrived: Refs) -> None:
        """Change the refs of the mirror as `plan` says, in one transaction, and write them to the disk.

        * `held`: the refs that the mirror has now.
        * `arrived`: the fetched refs. They are below `refs/incoming/` now, and become branches and tags.

        If an old branch conflicts with the new main branch, the old branch is deleted first, in a transaction of its
        own. Raise InfrastructureError if git fails.
        """
        if obstacles := delete_conflicting_branches(held, plan.branch):
            self._change(obstacles)
            held = self.repository.refs()
        if changes := update_ref_input(held, plan, arrived):
            self._change(changes)
        _write(self.path / "HEAD", b"ref: refs/heads/" + ref_bytes(plan.branch or _NO_BRANCH) + b"\n")
        self.repository.run("pack-refs", "--all")

    def _change(self, changes: bytes) -> None:
        # Flushing a thousand refs one by one takes minutes. `pack-refs` flushes them all at once, right after this.
        evolve(self.repository, flushed="all,-reference").run("update-ref", "-z", "--stdin", stdin=changes)

    def read_refs(self) -> Refs:
        """Return the branches and tags of the mirror. If a pack file is missing, return empty Refs.

        The refs are read from the file `packed-refs`, into which every update of the mirror writes all refs. git is
        asked only if that file is damaged, or if there are refs outside of it. Damage within a pack file is not
        noticed. Raise InfrastructureError if git fails.
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
    """Wait for the exclusive lock of the mirror at `path`, and hold it during the `with` block.

    Yield the descriptor of the lock file. A process that inherits the descriptor holds the lock too.
    """
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
    """Replace the content of a file in one step, and write it to the disk.

    Do nothing if the file has this content already.
    """
    if not path.exists() or path.read_bytes() != content:
        replace_file(path, content)
