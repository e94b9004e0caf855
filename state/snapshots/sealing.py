"""Seals a folder as a snapshot, or copies a sealed one. Reads what was written back from the disk."""

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from attrs import evolve

from state.folder.durable import open_new, remove_tree, sync_folder
from state.records import Seal
from state.snapshots import manifest as manifests
from state.snapshots.compression import CompressingWriter
from state.snapshots.manifest import FORMAT, TARS, Manifest
from state.snapshots.new_folder import new_folder, removed_on_failure
from state.snapshots.packing import HashingWriter, pack
from state.snapshots.sealed import open_tar, read_manifest
from state.snapshots.sealed_files import MANIFEST, MismatchError, file_seal, open_regular
from state.state_errors import SnapshotError

_TAR = TARS[FORMAT]


def seal_folder(source: Path, into: Path, about: Mapping[str, object]) -> Seal:
    """Pack the folder `source` into a snapshot in the new folder `into`, and read it back. Return its seal.

    `about` is stored in the manifest. Raise SnapshotError if what is read back differs, OSError for a full disk.
    """
    with _appearing(into) as partial:
        manifest = _write_tar(source, partial / _TAR, about)
        digest = _write_manifest(manifest, partial / MANIFEST)
        sync_folder(partial)
        _verify_written(partial, (_TAR, MANIFEST), digest)
        files = {name: file_seal(partial / name) for name in (_TAR, MANIFEST)}
    return Seal(digest, files, manifest.totals.bytes, manifest.tar.bytes, manifest.totals.entries)


def copy_folder(folder: Path, to: Path, seal: Seal) -> Seal:
    """Copy the snapshot in `folder` to the new folder `to`, and read it back. Return the seal of the copy.

    Raise SnapshotError if the copy does not match `seal`, OSError for a full disk.
    """
    with _appearing(to) as partial:
        for name in seal.files:
            _copy_file(folder / name, partial / name)
        sync_folder(partial)
        _verify_written(partial, seal.files, seal.manifest)
        files = {name: file_seal(partial / name) for name in seal.files}
    return evolve(seal, files=files)


@contextmanager
def _appearing(into: Path) -> Iterator[Path]:
    """Yield a new folder with a temporary name. Rename the folder to `into` at the end of the `with` block.

    If the block fails, remove the folder. Raise SnapshotError if `into` exists.
    """
    if os.path.lexists(into):
        raise SnapshotError(f"{into} is there already")
    partial = into.with_name(f".{into.name}.partial")
    remove_tree(partial)
    with new_folder(partial):
        yield partial
        partial.rename(into)
    with removed_on_failure(into):
        sync_folder(into.parent)


def _write_tar(source: Path, path: Path, about: Mapping[str, object]) -> Manifest:
    """Pack the folder `source` into a compressed tar, and write that to the new file `path` and to the disk.

    Return the manifest of the tar, in which `about` is stored.
    """
    with os.fdopen(open_new(path), "wb") as file:
        out = HashingWriter(file)
        tar = CompressingWriter(out)
        packed = pack(os.fsencode(source), tar)
        tar.finish()
        file.flush()
        os.fsync(file.fileno())
    return manifests.make_manifest(about, manifests.Tar(out.sha256, out.size), packed.entries, packed.skipped)


def _write_manifest(manifest: Manifest, path: Path) -> str:
    """Write the manifest to the new file `path`, and to the disk. Return the hash of its content."""
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


def _verify_written(folder: Path, names: Iterable[str], digest: str) -> None:
    """Read the files `names` in `folder` back, from the disk and not from memory.

    Raise SnapshotError if they differ from the manifest, whose hash is `digest`.
    """
    for name in names:
        _forget_cached(folder / name)
    try:
        open_tar(folder, read_manifest(folder, digest)).close()
    except MismatchError as mismatch:
        raise SnapshotError(f"what was written to {folder} reads back differently: {mismatch}") from mismatch


def _forget_cached(path: Path) -> None:
    """Remove a file from the kernel's page cache, so that the next read comes from the disk."""
    with open_regular(os.fsencode(path)) as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
