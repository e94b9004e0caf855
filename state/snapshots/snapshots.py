"""Seals, moves, checks, unpacks and deletes snapshots. Each is a folder with snapshot.tar.zst and manifest.json."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from state.folder.durable import file_errors, make_folder, remove_tree, sync_folder
from state.records import Damaged, FileSeal, Seal
from state.snapshots.sealed_files import MANIFEST, MismatchError, changed_files, file_seal
from state.state_errors import SnapshotError

if TYPE_CHECKING:  # `status` reads no manifest of an unchanged snapshot
    from state.snapshots.manifest import Manifest


@frozen
class SealedSnapshots:
    """Seals, moves, checks, unpacks and deletes snapshots. It has no state of its own."""

    def seal(self, source: Path, into: Path, about: Mapping[str, object]) -> Seal:
        """Pack everything below `source` into a snapshot in the new folder `into`. Return its seal.

        `about` is stored in the manifest. The folder appears only when it is complete, and has been read back from the
        disk. Raise AgainLaterError for a full disk, SnapshotError for any other failure.
        """
        # tarfile and zstd are loaded by sealing and unpacking alone.
        from state.snapshots.sealing import seal_folder

        with file_errors(f"seal {source}", SnapshotError):
            return seal_folder(source, into, about)

    def move(self, folder: Path, to: Path, seal: Seal) -> Seal:
        """Rename the folder of a snapshot to `to`. Return the seal with the new times of the snapshot's files.

        Once this has returned, a power cut does not undo the renaming. The parent of `to` is made if it is missing.
        Raise SnapshotError in these cases:
        * The snapshot is damaged: a new seal would hide the damage.
        * The folder has files that were not sealed.
        * The path `to` exists.
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
        """Copy the snapshot in `folder` to the new folder `to`. Return the seal with the times of the copied files.

        The copy is read back from the disk. Once this has returned, a power cut does not undo the copy. Raise
        AgainLaterError for a full disk, SnapshotError if the copy does not match `seal`. After an error, `to` does not
        exist.
        """
        from state.snapshots.sealing import copy_folder

        with file_errors(f"copy {folder} to {to}", SnapshotError):
            return copy_folder(folder, to, seal)

    def find_damage(self, folder: Path, seal: Seal) -> Damaged | None:
        """Return how the snapshot in `folder` differs from `seal`; None if it does not differ.

        Files are read and hashed only if the inode or a time of any of them has changed. Files that were not sealed are
        ignored. Raise SnapshotError if a file cannot be read.
        """
        with file_errors(f"read {folder}", SnapshotError):
            try:
                changed = changed_files(folder, seal)
                if changed:
                    from state.snapshots.sealed import open_tar, read_manifest

                    manifest = read_manifest(folder, seal.manifest)
                    if changed != {MANIFEST}:
                        open_tar(folder, manifest).close()
            except MismatchError as mismatch:
                return Damaged(str(mismatch))
        return None

    def rehash(self, folder: Path, seal: Seal) -> Mapping[str, FileSeal] | None:
        """Hash the files of a snapshot if the inode or a time of any of them has changed since `seal`.

        * The content is still as sealed: return the new seals of all files, by name.
        * No inode and no time has changed: hash nothing, and return None, because `seal` still fits.
        * The snapshot is damaged, or changes while it is hashed: return None.

        Raise SnapshotError if a file cannot be read.
        """
        from state.snapshots.sealed import open_tar, read_manifest

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

    def manifest(self, folder: Path, seal: Seal) -> "Manifest | Damaged":
        """Return the manifest of a snapshot. The data of the snapshot is not read.

        If the manifest is missing, or is not the sealed one, return Damaged. Raise SnapshotError if the manifest cannot
        be read.
        """
        from state.snapshots.sealed import read_manifest

        with file_errors(f"read {folder}", SnapshotError):
            try:
                return read_manifest(folder, seal.manifest)
            except MismatchError as mismatch:
                return Damaged(str(mismatch))

    def unpack(self, folder: Path, seal: Seal, into: Path) -> Mapping[str, object] | Damaged:
        """Check a snapshot by its seal, and unpack it into the new folder `into`.

        Return the facts on the data that the manifest stores (`about`). If the snapshot is damaged, return Damaged
        instead. Raise AgainLaterError for a full disk, SnapshotError for any other failure. Unless the facts are
        returned, `into` is removed.
        """
        from state.snapshots.unpacking import unpack_folder

        with file_errors(f"unpack {folder}", SnapshotError):
            try:
                return unpack_folder(folder, seal, into)
            except MismatchError as mismatch:
                return Damaged(str(mismatch))

    def delete(self, folder: Path) -> None:
        """Delete the folder of a snapshot, if it exists.

        Once this has returned, a power cut does not bring the folder back. The folder has its name until the end: if
        this process is killed, a later process still finds the folder under that name.
        """
        with file_errors(f"delete {folder}", SnapshotError):
            if os.path.lexists(folder):
                remove_tree(folder)
                sync_folder(folder.parent)

    def has_sealed(self, folder: Path, seal: Seal) -> bool:
        """Return whether `folder` has files of the snapshot with this seal, which `delete_sealed` would delete.

        Return False if the folder has another snapshot.
        """
        from state.snapshots.manifest import TARS
        from state.snapshots.sealed import is_another

        with file_errors(f"read {folder}", SnapshotError):
            if folder.is_symlink() or not folder.is_dir() or is_another(folder, seal):
                return False
            return any(os.path.lexists(folder / name) for name in (*TARS.values(), MANIFEST))

    def delete_sealed(self, folder: Path, seal: Seal) -> None:
        """Delete the files of the snapshot of `seal` in `folder`. Delete the folder too if it is empty then.

        If `folder` has another snapshot, or is missing, do nothing. Once this has returned, a power cut does not bring
        the files back. The manifest is deleted last, because it tells whether this is the snapshot of `seal`.
        """
        from state.snapshots.manifest import TARS
        from state.snapshots.sealed import is_another

        with file_errors(f"delete {folder}", SnapshotError):
            if folder.is_symlink() or not folder.is_dir() or is_another(folder, seal):
                return
            for name in (*TARS.values(), MANIFEST):
                (folder / name).unlink(missing_ok=True)
            if not any(folder.iterdir()):
                folder.rmdir()
            sync_folder(folder.parent)


def generations_present(folder: Path) -> tuple[int, ...]:
    """Return the numbers of the generations in `folder` (`canonicals/NAME`), sorted; () if there is no folder."""
    with file_errors(f"list the generations in {folder}", SnapshotError):
        try:
            names = [entry.name for entry in folder.iterdir()]
        except FileNotFoundError:
            return ()
    return tuple(sorted(int(name) for name in names if name.isascii() and name.isdecimal()))
