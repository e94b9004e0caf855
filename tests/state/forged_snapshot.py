"""Write a snapshot from a tar and a manifest of the test's own, with hashes that are right."""

import hashlib
from pathlib import Path

from attrs import evolve

from state.records import Seal
from state.snapshots import manifest as manifests
from state.snapshots.manifest import SealedEntry
from tests.snapshot_tar import zstd
from tests.state.file_trees import file_seal


def write_forged(folder: Path, tar: bytes, entries: list[SealedEntry]) -> Seal:
    """Write a snapshot as it is written today: the tar is compressed."""
    return write_forged_file(folder, zstd.compress(tar), entries)


def write_forged_file(folder: Path, content: bytes, entries: list[SealedEntry], form: int = 2) -> Seal:
    """Write a snapshot whose file with the tar holds `content`. `form` is the manifest's format."""
    folder.mkdir()
    (folder / manifests.TARS[form]).write_bytes(content)
    tar = manifests.Tar(hashlib.sha256(content).hexdigest(), len(content))
    encoded = manifests.encode(evolve(manifests.make_manifest({}, tar, tuple(entries), ()), format=form))
    (folder / "manifest.json").write_bytes(encoded)
    files = {path.name: file_seal(path) for path in folder.iterdir()}
    return Seal(hashlib.sha256(encoded).hexdigest(), files, 0, len(content), len(entries))
