"""Read the two files of a sealed snapshot, and compare them with the seal."""

import hashlib
import os
import stat
from contextlib import ExitStack
from io import BufferedReader
from pathlib import Path

from state.codec import NotARecordError
from state.records import FileSeal, Seal
from state.snapshots import manifest as manifests
from state.snapshots.manifest import TARS, Manifest, MismatchError
from state.snapshots.packing import open_regular
from state.state_errors import SnapshotError

MANIFEST = "manifest.json"


def file_seal(path: Path) -> FileSeal:
    """Return the inode, size and times of a file. Raise MismatchError if it is not a regular file."""
    info = path.lstat()
    if not stat.S_ISREG(info.st_mode):
        raise MismatchError(f"{path} is not a regular file")
    return FileSeal(info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns)


def changed_files(folder: Path, seal: Seal) -> frozenset[str]:
    """Return the files whose inode or times changed since they were sealed.

    Raise MismatchError if a file is missing or has another size.
    """
    try:
        present = {entry.name for entry in folder.iterdir()}
    except (FileNotFoundError, NotADirectoryError):
        raise MismatchError(f"{folder} is missing") from None
    if missing := sorted(set(seal.files) - present):
        raise MismatchError(f"{folder} lacks {', '.join(missing)}")
    now = {name: file_seal(folder / name) for name in seal.files}
    for name, sealed in seal.files.items():
        if now[name].size != sealed.size:
            raise MismatchError(f"{folder / name} has {now[name].size} bytes, not {sealed.size}")
    return frozenset(name for name in seal.files if now[name] != seal.files[name])


def is_another(folder: Path, seal: Seal) -> bool:
    """Whether a folder has the valid manifest of another snapshot than the one that `seal` belongs to.

    False if the manifest is missing or damaged: then the snapshot may be the one that `seal` belongs to.
    """
    try:
        with open_regular(os.fsencode(folder / MANIFEST)) as file:
            content = file.read()
        manifests.decode(content)
    except (FileNotFoundError, NotARecordError):
        return False
    return hashlib.sha256(content).hexdigest() != seal.manifest


def read_manifest(folder: Path, digest: str) -> Manifest:
    """Return the manifest in a folder. Raise MismatchError if its hash is not `digest`, SnapshotError if invalid."""
    path = folder / MANIFEST
    with open_regular(os.fsencode(path)) as file:
        content = file.read()
    if hashlib.sha256(content).hexdigest() != digest:
        raise MismatchError(f"{path} is not what was sealed")
    try:
        return manifests.decode(content)
    except NotARecordError as error:
        raise SnapshotError(f"{path} cannot be read: {error}") from error


def open_tar(folder: Path, manifest: Manifest) -> BufferedReader:
    """Open the file with the tar, and return it at its start. Raise MismatchError if its hash is not the sealed one."""
    path = folder / TARS[manifest.format]
    with ExitStack() as stack:
        file = stack.enter_context(open_regular(os.fsencode(path)))
        if hashlib.file_digest(file, "sha256").hexdigest() != manifest.tar.sha256:
            raise MismatchError(f"{path} is not what was sealed")
        file.seek(0)
        stack.pop_all()
        return file
