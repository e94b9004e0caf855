"""Sealed folders: snapshot.tar and manifest.json, proved when written and before they are used."""

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from io import BufferedReader
from pathlib import Path

from attrs import evolve, frozen

from state import manifest as manifests
from state.codec import NotARecordError
from state.durable import file_errors, make_folder, open_new, remove_tree, sync_folder
from state.errors import SnapshotError
from state.manifest import Manifest, MismatchError
from state.model import Damaged, FileSeal, Seal
from state.packing import HashingWriter, open_regular, pack
from state.unpacking import extract

TAR = "snapshot.tar"
MANIFEST = "manifest.json"


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
            files = {name: _look(partial / name) for name in (TAR, MANIFEST)}
        return Seal(digest, files, manifest.totals.bytes, manifest.tar.bytes, manifest.totals.entries)

    def move(self, folder: Path, to: Path, seal: Seal) -> Seal:
        """Rename a sealed folder durably, making `to`'s parent; returns the seal as the files look now.

        Raises SnapshotError for a damaged one: a new seal would vouch for whatever was put there meanwhile.
        """
        with file_errors(f"move {folder} to {to}", SnapshotError):
            if damage := self.glance(folder, seal):
                raise SnapshotError(f"{folder} is not moved: {damage.reason}")
            if added := sorted(entry.name for entry in folder.iterdir() if entry.name not in seal.files):
                raise SnapshotError(f"{folder} is not moved: it holds {added[0]!r}, which was not sealed")
            if os.path.lexists(to):
                raise SnapshotError(f"{to} is there already")
            make_folder(to.parent)
            folder.rename(to)
            sync_folder(to.parent)
            sync_folder(folder.parent)
            return evolve(seal, files={name: _look(to / name) for name in seal.files})

    def glance(self, folder: Path, seal: Seal) -> Damaged | None:
        """Trust files that look as they did when sealed, hash them otherwise; None if all is as sealed.

        What else lies in the folder is somebody's, and no damage.
        Raises SnapshotError where it cannot be seen.
        """
        with file_errors(f"look at {folder}", SnapshotError):
            try:
                changed = _changed(folder, seal)
                if changed:
                    manifest = _read_manifest(folder, seal.manifest)
                    if TAR in changed:
                        _open_tar(folder, manifest).close()
            except MismatchError as mismatch:
                return Damaged(str(mismatch))
        return None

    def renew(self, folder: Path, seal: Seal) -> Mapping[str, FileSeal] | None:
        """Hash files that look other than when sealed: how they look now, if all is as sealed.

        None where none looks other, or one is not as sealed. Raises SnapshotError where they cannot be seen.
        """
        with file_errors(f"look at {folder}", SnapshotError):
            try:
                if not _changed(folder, seal):
                    return None
                looks = {name: _look(folder / name) for name in seal.files}
                _open_tar(folder, _read_manifest(folder, seal.manifest)).close()
                # What was written meanwhile may have been read half.
                return looks if looks == {name: _look(folder / name) for name in seal.files} else None
            except MismatchError:
                return None

    def unpack(self, folder: Path, seal: Seal, into: Path) -> Mapping[str, object] | Damaged:
        """Hash everything, then unpack into the new folder `into`, which is gone again after any failure.

        Returns what the sealer said in `about`. Raises SnapshotError, or AgainLaterError for a full disk.
        """
        with file_errors(f"unpack {folder}", SnapshotError):
            try:
                _changed(folder, seal)
                manifest = _read_manifest(folder, seal.manifest)
                with _open_tar(folder, manifest) as tar, _new_folder(into):
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
            if folder.is_symlink() or not folder.is_dir() or _is_another(folder, seal):
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
        _open_tar(folder, _read_manifest(folder, digest)).close()
    except MismatchError as mismatch:
        raise SnapshotError(f"what was written to {folder} reads back differently: {mismatch}") from mismatch


def _forget_cached(path: Path) -> None:
    """Let the next read come from the disk: the page cache would only show what we meant to write."""
    with open_regular(os.fsencode(path)) as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


# ---- looking ----


def _look(path: Path) -> FileSeal:
    look = path.lstat()
    if not stat.S_ISREG(look.st_mode):
        raise MismatchError(f"{path} is no regular file")
    return FileSeal(look.st_ino, look.st_size, look.st_mtime_ns, look.st_ctime_ns)


def _changed(folder: Path, seal: Seal) -> frozenset[str]:
    """Which files look other than when they were sealed; raises MismatchError where one cannot be the same."""
    try:
        present = {entry.name for entry in folder.iterdir()}
    except (FileNotFoundError, NotADirectoryError):
        raise MismatchError(f"{folder} is missing") from None
    if missing := sorted(set(seal.files) - present):
        raise MismatchError(f"{folder} lacks {', '.join(missing)}")
    looks = {name: _look(folder / name) for name in seal.files}
    for name, sealed in seal.files.items():
        if looks[name].size != sealed.size:
            raise MismatchError(f"{folder / name} has {looks[name].size} bytes, not {sealed.size}")
    return frozenset(name for name in seal.files if looks[name] != seal.files[name])


def _is_another(folder: Path, seal: Seal) -> bool:
    """Whether a folder holds a whole manifest that is not the sealed one; a rotten one may be what was sealed."""
    try:
        with open_regular(os.fsencode(folder / MANIFEST)) as file:
            content = file.read()
        manifests.decode(content)
    except (FileNotFoundError, NotARecordError):
        return False
    return hashlib.sha256(content).hexdigest() != seal.manifest


def _read_manifest(folder: Path, digest: str) -> Manifest:
    path = folder / MANIFEST
    with open_regular(os.fsencode(path)) as file:
        content = file.read()
    if hashlib.sha256(content).hexdigest() != digest:
        raise MismatchError(f"{path} is not what was sealed")
    try:
        return manifests.decode(content)
    except NotARecordError as error:
        raise SnapshotError(f"{path} cannot be read: {error}") from error


def _open_tar(folder: Path, manifest: Manifest) -> BufferedReader:
    """The tar, at its start, after all of it was hashed."""
    path = folder / TAR
    with ExitStack() as stack:
        file = stack.enter_context(open_regular(os.fsencode(path)))
        if hashlib.file_digest(file, "sha256").hexdigest() != manifest.tar.sha256:
            raise MismatchError(f"{path} is not what was sealed")
        file.seek(0)
        stack.pop_all()
        return file
