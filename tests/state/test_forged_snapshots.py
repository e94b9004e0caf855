import hashlib
import io
import os
import tarfile
from pathlib import Path

import pytest
from attrs import evolve

from state.records import Damaged, Seal
from state.snapshots.headers import header
from state.snapshots.manifest import SealedEntry
from state.state_errors import SnapshotError
from tests.snapshot_tar import tar_in, zstd
from tests.state.file_trees import SNAPSHOTS, describe_tree
from tests.state.forged_snapshot import write_forged, write_forged_file


def forge(folder: Path, entries: list[SealedEntry], packed: list[SealedEntry] | None = None) -> Seal:
    """A snapshot whose hashes are right and whose entries are not; `packed` is what the tar holds, if other."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for entry in entries if packed is None else packed:
            tar.addfile(header(entry), io.BytesIO(b"x" * entry.size))
    return write_forged(folder, made.getvalue(), entries)


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
    [entry("a", "symlink", "b\0c")],
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
    path.write_bytes(path.read_bytes().replace(b'"format":2', b'"format":3'))
    newer = evolve(seal, manifest=hashlib.sha256(path.read_bytes()).hexdigest())
    with pytest.raises(SnapshotError, match="format 3"):
        SNAPSHOTS.unpack(tmp_path / "sealed", newer, tmp_path / "out")


GOOD = [entry("a", "folder"), entry("a/b", size=3)]


@pytest.fixture
def packed(tmp_path: Path) -> bytes:
    """A good snapshot's compressed tar."""
    forge(tmp_path / "good", GOOD)
    return (tmp_path / "good" / "snapshot.tar.zst").read_bytes()


def harmed(packed: bytes, tmp_path: Path) -> dict[str, bytes]:
    """Return forged files with the words of the damage that each of them is."""
    tar = tar_in(tmp_path / "good")
    wide: dict[int, int] = {zstd.CompressionParameter.window_log: 27, zstd.CompressionParameter.content_size_flag: 0}
    compressor = zstd.ZstdCompressor(options=wide)
    return {
        "is cut off": packed[:-1],
        "is followed by other data": packed + b"x",
        "tar is followed by other data": packed + zstd.compress(b""),
        "the tar is followed by other data": zstd.compress(tar + b"x" * 512),
        "the compressed tar cannot be read": b"no zstd" * 9,
        "too much memory": compressor.compress(tar) + compressor.flush(),
    }


@pytest.mark.parametrize("number", range(6))
def test_a_compressed_tar_that_is_not_one_whole_frame_is_damage(packed: bytes, tmp_path: Path, number: int) -> None:
    words, content = list(harmed(packed, tmp_path).items())[number]
    seal = write_forged_file(tmp_path / "sealed", content, GOOD)
    found = SNAPSHOTS.unpack(tmp_path / "sealed", seal, tmp_path / "out")
    assert isinstance(found, Damaged)
    assert words in found.reason
    assert not (tmp_path / "out").exists()


def test_a_snapshot_from_before_compression_is_checked_moved_copied_unpacked_and_deleted(tmp_path: Path) -> None:
    forge(tmp_path / "good", GOOD)
    old = tmp_path / "old"
    seal = write_forged_file(old, tar_in(tmp_path / "good"), GOOD, form=1)
    assert set(seal.files) == {"snapshot.tar", "manifest.json"}
    (old / "snapshot.tar").touch()
    assert SNAPSHOTS.find_damage(old, seal) is None
    seal = SNAPSHOTS.move(old, tmp_path / "moved", seal)
    copied = SNAPSHOTS.copy(tmp_path / "moved", tmp_path / "copied", seal)
    assert SNAPSHOTS.find_damage(tmp_path / "copied", copied) is None
    assert SNAPSHOTS.unpack(tmp_path / "moved", seal, tmp_path / "out") == {}
    assert (tmp_path / "out" / "a" / "b").read_bytes() == b"xxx"
    os.truncate(tmp_path / "moved" / "snapshot.tar", 700)
    assert isinstance(SNAPSHOTS.find_damage(tmp_path / "moved", seal), Damaged)
    SNAPSHOTS.delete_sealed(tmp_path / "moved", seal)
    assert not (tmp_path / "moved").exists()
