"""Sealed folders: snapshot.tar and manifest.json, proved when written and before they are used."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from attrs import evolve, frozen

from state.folder.durable import file_errors, make_folder, open_new, remove_tree, sync_folder
from state.records import Damaged, FileSeal, Seal
from state.snapshots import manifest as manifests
from state.snapshots.manifest import Manifest, MismatchError
from state.snapshots.packing import HashingWriter, open_regular, pack
from state.snapshots.sealed import MANIFEST, TAR, changed_files, is_another, look_of, open_tar, read_manifest
from state.snapshots.unpacking import extract
from state.state_errors import SnapshotError


@frozen
class SealedSnapshots:
    """Seals, moves, looks at, unpacks and deletes snapshots. It keeps nothing in memory between calls."""

    def seal(self, source: Path, into: Path, about: Mapping[str, object]) -> Seal:
        """Pack all that is below `source` into the new folder `into`, which appears whole or not at all.

        What was written is read again from the disk and held against the manifest before `into` appears.
        Raises SnapshotError, or AgainLaterError for a full disk.
        """
        with file_errors(f"seal {source}", SnapshotError), _appearing(into) as partial:
            manifest = _write_tar(source, partial / TAR, about)
            digest = _write_manifest(manifest, partial / MANIFEST)
            sync_folder(partial)
            _prove_written(partial, digest)
            files = {name: look_of(partial / name) for name in (TAR, MANIFEST)}
        return Seal(digest, files, manifest.totals.bytes, manifest.tar.bytes, manifest.totals.entries)

    def move(self, folder: Path, to: Path, seal: Seal) -> Seal:
        """Rename a sealed folder durably, making `to`'s parent; returns the seal as the files look now.

        Raises SnapshotError for a damaged one: a new seal would vouch for whatever was put there meanwhile.
        """
        with file_errors(f"move {folder} to {to}", SnapshotError):
            if damage := self.find_damage(folder, seal):
                raise SnapshotError(f"{folder} is not moved: {damage.reason}")
            if added := sorted(entry.name for entry in folder.iterdir() if entry.name not in seal.files):
                raise SnapshotError(f"{folder} is not moved: it holds {added[0]!r}, which was not sealed")
            if os.path.lexists(to):
                raise SnapshotError(f"{to} is there already")
            make_folder(to.parent)
            folder.rename(to)
            sync_folder(to.parent)
            sync_folder(folder.parent)
            return evolve(seal, files={name: look_of(to / name) for name in seal.files})

    def find_damage(self, folder: Path, seal: Seal) -> Damaged | None:
        """Trust files that look as they did when sealed, hash them otherwise; None if all is as sealed.

        What else lies in the folder is somebody's, and no damage.
        Raises SnapshotError where it cannot be seen.
        """
        with file_errors(f"look at {folder}", SnapshotError):
            try:
                changed = changed_files(folder, seal)
                if changed:
                    manifest = read_manifest(folder, seal.manifest)
                    if TAR in changed:
                        open_tar(folder, manifest).close()
            except MismatchError as mismatch:
                return Damaged(str(mismatch))
        return None

    def rehash(self, folder: Path, seal: Seal) -> Mapping[str, FileSeal] | None:
        """Hash files that look other than when sealed: how they look now, if all is as sealed.

        None where none looks other, or one is not as sealed. Raises SnapshotError where they cannot be seen.
        """
        with file_errors(f"look at {folder}", SnapshotError):
            try:
                if not changed_files(folder, seal):
                    return None
                looks = {name: look_of(folder / name) for name in seal.files}
                open_tar(folder, read_manifest(folder, seal.manifest)).close()
                # What was written meanwhile may have been read half.
                return looks if looks == {name: look_of(folder / name) for name in seal.files} else None
            except MismatchError:
                return None

    def unpack(self, folder: Path, seal: Seal, into: Path) -> Mapping[str, object] | Damaged:
        """Hash everything, then unpack into the new folder `into`, which is gone again after any failure.

        Returns what the sealer said in `about`. Raises SnapshotError, or AgainLaterError for a full disk.
        """
        with file_errors(f"unpack {folder}", SnapshotError):
            try:
                changed_files(folder, seal)
                manifest = read_manifest(folder, seal.manifest)
                with open_tar(folder, manifest) as tar, _new_folder(into):
                    extract(tar, manifest.entries, os.fsencode(into))
            except MismatchError as mismatch:
                return Damaged(str(mismatch))
        return manifest.about

    def delete(self, folder: Path) -> None:
        """Delete a snapshot durably; absence is fine. It keeps its name until all of it is gone.

        So one that was half-deleted by a dead process is still found where it was, and can be deleted again.
        """
        with file_errors(f"delete {folder}", SnapshotError):
            if os.path.lexists(folder):
                remove_tree(folder)
                sync_folder(folder.parent)

    def delete_sealed(self, folder: Path, seal: Seal) -> None:
        """Delete the files of a snapshot durably, and its folder where nothing else lies in it; absence is fine.

        Another snapshot in its place stays. The manifest goes last, since it tells which one it is.
        """
        with file_errors(f"delete {folder}", SnapshotError):
            if folder.is_symlink() or not folder.is_dir() or is_another(folder, seal):
                return
            for name in (TAR, MANIFEST):
                (folder / name).unlink(missing_ok=True)
            if not any(folder.iterdir()):
                folder.rmdir()
            sync_folder(folder.parent)


def generations_present(folder: Path) -> tuple[int, ...]:
    """Numbers of the generation folders in `folder` (`canonicals/NAME`), in order; none where there is no folder."""
    with file_errors(f"list the generations in {folder}", SnapshotError):
        try:
            names = [entry.name for entry in folder.iterdir()]
        except FileNotFoundError:
            return ()
    return tuple(sorted(int(name) for name in names if name.isascii() and name.isdecimal()))


# ---- writing ----


@contextmanager
def _appearing(into: Path) -> Iterator[Path]:
    """A folder that gets the name `into` once it is complete, and is gone if it never is."""
    if os.path.lexists(into):
        raise SnapshotError(f"{into} is there already")
    partial = into.with_name(f".{into.name}.partial")
    remove_tree(partial)
    with _new_folder(partial):
        yield partial
        partial.rename(into)
    with _gone_on_failure(into):
        sync_folder(into.parent)


@contextmanager
def _new_folder(path: Path) -> Iterator[None]:
    """A new private folder, removed again if what fills it fails."""
    if os.path.lexists(path):
        raise SnapshotError(f"{path} is there already")
    make_folder(path)
    with _gone_on_failure(path):
        yield


@contextmanager
def _gone_on_failure(path: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        remove_tree(path)
        raise


def _write_tar(source: Path, path: Path, about: Mapping[str, object]) -> Manifest:
    with os.fdopen(open_new(path), "wb") as file:
        out = HashingWriter(file)
        packed = pack(os.fsencode(source), out)
        file.flush()
        os.fsync(file.fileno())
    return manifests.make_manifest(about, manifests.Tar(out.sha256, out.size), packed.entries, packed.skipped)


def _write_manifest(manifest: Manifest, path: Path) -> str:
    """Returns the hash of what was written."""
    content = manifests.encode(manifest)
    with os.fdopen(open_new(path), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return hashlib.sha256(content).hexdigest()


def _prove_written(folder: Path, digest: str) -> None:
    for name in (TAR, MANIFEST):
        _forget_cached(folder / name)
    try:
        open_tar(folder, read_manifest(folder, digest)).close()
    except MismatchError as mismatch:
        raise SnapshotError(f"what was written to {folder} reads back differently: {mismatch}") from mismatch


def _forget_cached(path: Path) -> None:
    """Let the next read come from the disk: the page cache would only show what we meant to write."""
    with open_regular(os.fsencode(path)) as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
