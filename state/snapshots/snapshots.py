"""Seal, move, check, unpack and delete snapshots. Each is a folder with snapshot.tar.zst and manifest.json."""

import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from attrs import evolve, frozen

from state.folder.durable import file_errors, make_folder, open_new, remove_tree, sync_folder
from state.records import Damaged, FileSeal, Seal
from state.snapshots import manifest as manifests
from state.snapshots.compression import CompressingWriter, decompressed, plain
from state.snapshots.manifest import FORMAT, TARS, Manifest, MismatchError
from state.snapshots.packing import HashingWriter, open_regular, pack
from state.snapshots.sealed import MANIFEST, changed_files, file_seal, is_another, open_tar, read_manifest
from state.snapshots.unpacking import extract
from state.state_errors import SnapshotError

_TAR = TARS[FORMAT]


@frozen
class SealedSnapshots:
    """Seals, moves, checks, unpacks and deletes snapshots. It has no state of its own."""

    def seal(self, source: Path, into: Path, about: Mapping[str, object]) -> Seal:
        """Pack everything below `source` into the new folder `into`. The folder appears only when it is complete.

        Before it appears, the written files are read from the disk again and compared with the manifest.
        Raise SnapshotError, or AgainLaterError for a full disk.
        """
        with file_errors(f"seal {source}", SnapshotError), _appearing(into) as partial:
            manifest = _write_tar(source, partial / _TAR, about)
            digest = _write_manifest(manifest, partial / MANIFEST)
            sync_folder(partial)
            _verify_written(partial, digest)
            files = {name: file_seal(partial / name) for name in (_TAR, MANIFEST)}
        return Seal(digest, files, manifest.totals.bytes, manifest.tar.bytes, manifest.totals.entries)

    def move(self, folder: Path, to: Path, seal: Seal) -> Seal:
        """Rename the sealed folder `folder` to `to`, durably, and return the seal with the new times of its files.

        Creates the parent folder of `to` if it does not exist.

        Raise SnapshotError if the snapshot is damaged, since a new seal would confirm the damage; also if the folder
        holds anything that was not sealed, or if `to` exists.
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
            return evolve(seal, files={name: file_seal(to / name) for name in seal.files})

    def copy(self, folder: Path, to: Path, seal: Seal) -> Seal:
        """Copy the sealed folder `folder` to the new folder `to`, durably. Return the seal with the copies' times.

        The copies are read from the disk again and compared with the manifest's hash in `seal`. Raise SnapshotError if
        they differ, and AgainLaterError for a full disk.
        """
        with file_errors(f"copy {folder} to {to}", SnapshotError), _appearing(to) as partial:
            for name in seal.files:
                _copy_file(folder / name, partial / name)
            sync_folder(partial)
            _verify_written(partial, seal.manifest)
            files = {name: file_seal(partial / name) for name in seal.files}
        return evolve(seal, files=files)

    def find_damage(self, folder: Path, seal: Seal) -> Damaged | None:
        """Return how a snapshot differs from its seal; None if it is as it was sealed.

        Does not read files whose inode, size and times are unchanged, and hashes the others. Ignores files that were
        not sealed. Raise SnapshotError if the files cannot be read.
        """
        with file_errors(f"read {folder}", SnapshotError):
            try:
                changed = changed_files(folder, seal)
                if changed:
                    manifest = read_manifest(folder, seal.manifest)
                    if changed != {MANIFEST}:
                        open_tar(folder, manifest).close()
            except MismatchError as mismatch:
                return Damaged(str(mismatch))
        return None

    def rehash(self, folder: Path, seal: Seal) -> Mapping[str, FileSeal] | None:
        """Hash a snapshot whose files have new inodes or times.

        Return the new seals of its files if the content is as sealed. Return None if nothing changed, or if the
        snapshot is damaged. Raise SnapshotError if it cannot be read.
        """
        with file_errors(f"read {folder}", SnapshotError):
            try:
                if not changed_files(folder, seal):
                    return None
                now = {name: file_seal(folder / name) for name in seal.files}
                open_tar(folder, read_manifest(folder, seal.manifest)).close()
                # The files may have been written to while they were read.
                return now if now == {name: file_seal(folder / name) for name in seal.files} else None
            except MismatchError:
                return None

    def unpack(self, folder: Path, seal: Seal, into: Path) -> Mapping[str, object] | Damaged:
        """Verify a snapshot and unpack it into the new folder `into`. Remove that folder again after any failure.

        Return the `about` of its manifest, or its damage. Raise SnapshotError, or AgainLaterError for a full disk.
        """
        with file_errors(f"unpack {folder}", SnapshotError):
            try:
                changed_files(folder, seal)
                manifest = read_manifest(folder, seal.manifest)
                with open_tar(folder, manifest) as file, _new_folder(into):
                    tar = plain(file) if manifest.format == 1 else decompressed(file)
                    extract(tar, manifest.entries, os.fsencode(into))
            except MismatchError as mismatch:
                return Damaged(str(mismatch))
        return manifest.about

    def delete(self, folder: Path) -> None:
        """Delete a snapshot durably, if it exists.

        The folder keeps its name until the end. So if this process is killed meanwhile, a later one still finds the
        folder.
        """
        with file_errors(f"delete {folder}", SnapshotError):
            if os.path.lexists(folder):
                remove_tree(folder)
                sync_folder(folder.parent)

    def delete_sealed(self, folder: Path, seal: Seal) -> None:
        """Delete the files of a snapshot durably, if they exist, and then its folder if that is empty.

        Another snapshot at this path is kept. The manifest is deleted last, since it identifies the snapshot.
        """
        with file_errors(f"delete {folder}", SnapshotError):
            if folder.is_symlink() or not folder.is_dir() or is_another(folder, seal):
                return
            for name in (*TARS.values(), MANIFEST):
                (folder / name).unlink(missing_ok=True)
            if not any(folder.iterdir()):
                folder.rmdir()
            sync_folder(folder.parent)


def generations_present(folder: Path) -> tuple[int, ...]:
    """Return the sorted numbers of the generations in `folder` (`canonicals/NAME`); () if there is no folder."""
    with file_errors(f"list the generations in {folder}", SnapshotError):
        try:
            names = [entry.name for entry in folder.iterdir()]
        except FileNotFoundError:
            return ()
    return tuple(sorted(int(name) for name in names if name.isascii() and name.isdecimal()))


# ---- writing ----


@contextmanager
def _appearing(into: Path) -> Iterator[Path]:
    """Yield a new folder that is renamed to `into` once it is complete, and removed after a failure."""
    if os.path.lexists(into):
        raise SnapshotError(f"{into} is there already")
    partial = into.with_name(f".{into.name}.partial")
    remove_tree(partial)
    with _new_folder(partial):
        yield partial
        partial.rename(into)
    with _removed_on_failure(into):
        sync_folder(into.parent)


@contextmanager
def _new_folder(path: Path) -> Iterator[None]:
    """Make a private folder for the block, and remove it again if the block fails."""
    if os.path.lexists(path):
        raise SnapshotError(f"{path} is there already")
    make_folder(path)
    with _removed_on_failure(path):
        yield


@contextmanager
def _removed_on_failure(path: Path) -> Iterator[None]:
    """Remove `path` with everything in it if the `with` block fails."""
    try:
        yield
    except BaseException:
        remove_tree(path)
        raise


def _write_tar(source: Path, path: Path, about: Mapping[str, object]) -> Manifest:
    """Pack the folder `source` into the new file `path`, flush it to the disk, and return its manifest."""
    with os.fdopen(open_new(path), "wb") as file:
        out = HashingWriter(file)
        tar = CompressingWriter(out)
        packed = pack(os.fsencode(source), tar)
        tar.finish()
        file.flush()
        os.fsync(file.fileno())
    return manifests.make_manifest(about, manifests.Tar(out.sha256, out.size), packed.entries, packed.skipped)


def _write_manifest(manifest: Manifest, path: Path) -> str:
    """Write manifest.json, and return the hash of its content."""
    content = manifests.encode(manifest)
    with os.fdopen(open_new(path), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return hashlib.sha256(content).hexdigest()


def _copy_file(source: Path, to: Path) -> None:
    with open_regular(os.fsencode(source)) as original, os.fdopen(open_new(to), "wb") as copy:
        shutil.copyfileobj(original, copy)
        copy.flush()
        os.fsync(copy.fileno())


def _verify_written(folder: Path, digest: str) -> None:
    """Read the written files from the disk.

    Raise SnapshotError if they differ from the manifest with the hash `digest`.
    """
    for name in (_TAR, MANIFEST):
        _forget_cached(folder / name)
    try:
        open_tar(folder, read_manifest(folder, digest)).close()
    except MismatchError as mismatch:
        raise SnapshotError(f"what was written to {folder} reads back differently: {mismatch}") from mismatch


def _forget_cached(path: Path) -> None:
    """Drop a file from the page cache, so that the next read comes from the disk."""
    with open_regular(os.fsencode(path)) as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
