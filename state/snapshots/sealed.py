"""Reads the two files of a sealed snapshot, and compares their hashes with the seal."""

import hashlib
import os
from contextlib import ExitStack
from io import BufferedReader
from pathlib import Path

from state.codec import NotARecordError
from state.records import Seal
from state.snapshots import manifest as manifests
from state.snapshots.manifest import TARS, Manifest
from state.snapshots.sealed_files import MANIFEST, MismatchError, open_regular
from state.state_errors import SnapshotError


def is_another(folder: Path, seal: Seal) -> bool:
    """Return whether `folder` has a valid manifest of another snapshot than the snapshot of `seal`.

    Return False if the manifest is missing or damaged: the snapshot may then be the snapshot of `seal`.
    """
    try:
        with open_regular(os.fsencode(folder / MANIFEST)) as file:
            content = file.read()
        manifests.decode(content)
    except (FileNotFoundError, NotARecordError):
        return False
    return hashlib.sha256(content).hexdigest() != seal.manifest


def read_manifest(folder: Path, digest: str) -> Manifest:
    """Return the manifest of the snapshot in `folder`. Raise MismatchError if the hash of its file is not `digest`.

    Raise SnapshotError if the file is no manifest that this program can read.
    """
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
    """Open the file with the tar of the snapshot in `folder`, and return it.

    Raise MismatchError if the hash of the file is not the one in `manifest`.
    """
    path = folder / TARS[manifest.format]
    with ExitStack() as stack:
        file = stack.enter_context(open_regular(os.fsencode(path)))
        if hashlib.file_digest(file, "sha256").hexdigest() != manifest.tar.sha256:
            raise MismatchError(f"{path} is not what was sealed")
        file.seek(0)
        stack.pop_all()
        return file
