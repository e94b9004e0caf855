import hashlib
import io
import os
import tarfile
from pathlib import Path

import pytest
from attrs import evolve

from state.records import Damaged, Seal
from state.snapshots import manifest as manifests
from state.snapshots.headers import header
from state.snapshots.manifest import SealedEntry
from state.state_errors import SnapshotError
from tests.state.file_trees import SNAPSHOTS, describe_tree, file_seal


def forge(folder: Path, entries: list[SealedEntry], packed: list[SealedEntry] | None = None) -> Seal:
    """A snapshot whose hashes are right and whose entries are not; `packed` is what the tar holds, if other."""
    folder.mkdir()
    with tarfile.open(folder / "snapshot.tar", "w", format=tarfile.PAX_FORMAT) as tar:
        for entry in entries if packed is None else packed:
            tar.addfile(header(entry), io.BytesIO(b"x" * entry.size))
    content = (folder / "snapshot.tar").read_bytes()
    tar_seal = manifests.Tar(hashlib.sha256(content).hexdigest(), len(content))
    encoded = manifests.encode(manifests.make_manifest({}, tar_seal, tuple(entries), ()))
    (folder / "manifest.json").write_bytes(encoded)
    files = {name: file_seal(folder / name) for name in ("snapshot.tar", "manifest.json")}
    return Seal(hashlib.sha256(encoded).hexdigest(), files, 0, len(content), len(entries))


def entry(path: str, kind: str = "file", target: str = "", size: int = 0) -> SealedEntry:
    digest = hashlib.sha256(b"x" * size).hexdigest() if kind == "file" else ""
    mode = 0o777 if kind == "symlink" else 0o700
    return SealedEntry(path, kind, mode, os.geteuid(), os.getegid(), 10**18, size, digest, target)


STRAYS = [
    [entry("/tmp/stray")],
    [entry("../stray")],
    [entry("a", "folder"), entry("a/../../stray")],
    [entry("a", "symlink", ".."), entry("a/stray")],
    [entry("a", "symlink", "/tmp"), entry("a/stray", "folder")],
    [entry("a/stray")],
    [entry("."), entry("stray")],
    [entry("", "folder")],
    [entry("stray"), entry("stray")],
    [entry("a", "folder"), entry("a", "folder")],
    [entry("a", "hardlink", "/etc/passwd")],
    [entry("a", "hardlink", "../source/link")],
    [entry("b", "hardlink", "later"), entry("later")],
    [entry("a", "folder"), entry("b", "hardlink", "a")],
]


@pytest.mark.parametrize("entries", STRAYS)
def test_what_would_leave_the_folder_is_refused(tmp_path: Path, entries: list[SealedEntry]) -> None:
    seal = forge(tmp_path / "sealed", entries)
    before = describe_tree(tmp_path, special=False)
    found = SNAPSHOTS.unpack(tmp_path / "sealed", seal, tmp_path / "out")
    assert isinstance(found, Damaged)
    assert describe_tree(tmp_path, special=False) == before


LIES = [
    ([entry("a", size=3)], [entry("a", size=2)]),
    ([entry("a")], [entry("b")]),
    ([entry("a")], [entry("a", "folder")]),
    ([entry("a")], []),
    ([], [entry("a")]),
    ([entry("a"), entry("b")], [entry("b"), entry("a")]),
    ([entry("a", "symlink", "x")], [entry("a", "symlink", "y")]),
    ([evolve(entry("a"), mode=0o600)], [entry("a")]),
    ([evolve(entry("a", size=2), sha256="0" * 64)], [entry("a", size=2)]),
]


@pytest.mark.parametrize(("entries", "packed"), LIES)
def test_a_tar_other_than_its_manifest_is_damage(
    tmp_path: Path, entries: list[SealedEntry], packed: list[SealedEntry]
) -> None:
    seal = forge(tmp_path / "sealed", entries, packed)
    assert isinstance(SNAPSHOTS.unpack(tmp_path / "sealed", seal, tmp_path / "out"), Damaged)
    assert not (tmp_path / "out").exists()


def test_the_forger_can_also_make_a_good_one(tmp_path: Path) -> None:
    """Or else the two tests above would prove nothing."""
    good = [entry("a", "folder"), entry("a/b", size=3), entry("a/c", "hardlink", "a/b"), entry("d", "symlink", "/x")]
    seal = forge(tmp_path / "sealed", good)
    assert SNAPSHOTS.unpack(tmp_path / "sealed", seal, tmp_path / "out") == {}


def test_a_manifest_of_a_newer_format_is_an_error_and_no_damage(tmp_path: Path) -> None:
    seal = forge(tmp_path / "sealed", [entry("a")])
    path = tmp_path / "sealed" / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b'"format":1', b'"format":2'))
    newer = evolve(seal, manifest=hashlib.sha256(path.read_bytes()).hexdigest())
    with pytest.raises(SnapshotError, match="format 2"):
        SNAPSHOTS.unpack(tmp_path / "sealed", newer, tmp_path / "out")
