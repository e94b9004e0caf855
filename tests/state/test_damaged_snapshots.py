import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from attrs import evolve

from state.records import Damaged, FileSeal, Seal
from state.state_errors import SnapshotError
from tests.state.file_trees import ABOUT, SNAPSHOTS, file_seal


@contextmanager
def flipped(path: Path, place: int) -> Iterator[None]:
    """One byte changed in place under an unchanged time of writing, as a failing disk would; put right afterwards."""
    _flip(path, place)
    try:
        yield
    finally:
        _flip(path, place)


def _flip(path: Path, place: int) -> None:
    look = path.stat()
    with path.open("r+b") as file:
        file.seek(place)
        (byte,) = file.read(1)
        file.seek(place)
        file.write(bytes([byte ^ 0xFF]))
    os.utime(path, ns=(look.st_atime_ns, look.st_mtime_ns))


@pytest.mark.parametrize("name", ["snapshot.tar.zst", "manifest.json"])
def test_every_flipped_byte_is_found_before_anything_is_unpacked(
    sealed: tuple[Path, Seal], tmp_path: Path, name: str
) -> None:
    folder, seal = sealed
    for place in range(seal.files[name].size):
        with flipped(folder / name, place):
            assert isinstance(SNAPSHOTS.find_damage(folder, seal), Damaged), place
            assert isinstance(SNAPSHOTS.unpack(folder, seal, tmp_path / "out"), Damaged), place
            assert not (tmp_path / "out").exists()
    assert SNAPSHOTS.unpack(folder, seal, tmp_path / "out") == ABOUT


def test_a_file_with_other_metadata_and_the_same_content_is_not_damaged(sealed: tuple[Path, Seal]) -> None:
    folder, seal = sealed
    for name in seal.files:
        (folder / name).touch()
    assert SNAPSHOTS.find_damage(folder, seal) is None


def test_a_check_trusts_a_file_whose_metadata_is_as_sealed(sealed: tuple[Path, Seal]) -> None:
    folder, seal = sealed
    with flipped(folder / "snapshot.tar.zst", 60):
        look = (folder / "snapshot.tar.zst").stat()
        trusting = FileSeal(look.st_ino, look.st_size, look.st_mtime_ns, look.st_ctime_ns)
        as_if = evolve(seal, files={**seal.files, "snapshot.tar.zst": trusting})
        assert SNAPSHOTS.find_damage(folder, as_if) is None
        assert isinstance(SNAPSHOTS.find_damage(folder, seal), Damaged)


def test_a_check_reads_no_file_whose_metadata_is_as_sealed(sealed: tuple[Path, Seal]) -> None:
    folder, seal = sealed
    for name in seal.files:
        os.utime(folder / name, ns=(0, seal.files[name].mtime_ns))
    looked = evolve(seal, files={name: file_seal(folder / name) for name in seal.files})
    assert SNAPSHOTS.find_damage(folder, looked) is None
    assert {(folder / name).stat().st_atime_ns for name in seal.files} == {0}


def _cut(folder: Path) -> None:
    os.truncate(folder / "snapshot.tar.zst", 100)


def _replace_by_link(folder: Path) -> None:
    (folder / "snapshot.tar.zst").rename(folder.parent / "elsewhere")
    (folder / "snapshot.tar.zst").symlink_to("../elsewhere")


def _replace_by_fifo(folder: Path) -> None:
    (folder / "manifest.json").unlink()
    os.mkfifo(folder / "manifest.json")


def _remove_all(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()


DAMAGES = {
    "lacks snapshot.tar.zst": lambda folder: (folder / "snapshot.tar.zst").unlink(),
    "lacks manifest.json": lambda folder: (folder / "manifest.json").unlink(),
    "is missing": _remove_all,
    "has 100 bytes": _cut,
    "snapshot.tar.zst is not a regular file": _replace_by_link,
    "manifest.json is not a regular file": _replace_by_fifo,
}


@pytest.mark.parametrize("words", DAMAGES)
def test_damage_is_reported_with_its_reason(sealed: tuple[Path, Seal], tmp_path: Path, words: str) -> None:
    folder, seal = sealed
    DAMAGES[words](folder)
    for found in (SNAPSHOTS.find_damage(folder, seal), SNAPSHOTS.unpack(folder, seal, tmp_path / "out")):
        assert isinstance(found, Damaged)
        assert words in found.reason
    assert not (tmp_path / "out").exists()
    with pytest.raises(SnapshotError, match=words):
        SNAPSHOTS.move(folder, tmp_path / "moved", seal)


def test_a_foreign_file_beside_a_snapshot_is_no_damage_and_is_never_moved_or_deleted(
    sealed: tuple[Path, Seal], tmp_path: Path
) -> None:
    folder, seal = sealed
    (folder / "mine.txt").write_text("precious")
    assert SNAPSHOTS.find_damage(folder, seal) is None
    assert SNAPSHOTS.unpack(folder, seal, tmp_path / "out") == ABOUT
    with pytest.raises(SnapshotError, match=r"holds 'mine.txt', which was not sealed"):
        SNAPSHOTS.move(folder, tmp_path / "moved", seal)
    SNAPSHOTS.delete_sealed(folder, seal)
    assert {path.name: path.read_text() for path in folder.iterdir()} == {"mine.txt": "precious"}


def _rot_manifest(folder: Path) -> None:
    (folder / "manifest.json").write_bytes(b"rotten")


@pytest.mark.parametrize(
    "harm",
    [lambda _: None, _cut, _rot_manifest, lambda folder: (folder / "snapshot.tar.zst").unlink(), _remove_all],
    ids=["intact", "cut", "rotten manifest", "half-deleted", "gone"],
)
def test_a_sealed_snapshot_is_deleted_whole_however_damaged(
    sealed: tuple[Path, Seal], harm: Callable[[Path], None]
) -> None:
    folder, seal = sealed
    harm(folder)
    for _ in range(2):
        SNAPSHOTS.delete_sealed(folder, seal)
        assert not folder.exists()


def test_another_snapshot_and_a_link_are_not_deleted_in_its_place(
    sealed: tuple[Path, Seal], source: Path, tmp_path: Path
) -> None:
    folder, seal = sealed
    (tmp_path / "link").symlink_to(folder)
    SNAPSHOTS.delete_sealed(tmp_path / "link", seal)
    assert SNAPSHOTS.find_damage(folder, seal) is None
    other = SNAPSHOTS.seal(source, tmp_path / "other", {"another": "one"})
    SNAPSHOTS.delete_sealed(tmp_path / "other", seal)
    assert SNAPSHOTS.find_damage(tmp_path / "other", other) is None


def test_another_snapshot_in_its_place_is_damage(sealed: tuple[Path, Seal], source: Path, tmp_path: Path) -> None:
    """A valid snapshot of the same sizes: only the recorded hash differs."""
    folder, seal = sealed
    (source / "data" / "notes.db").write_bytes(b"fake" * 20)
    SNAPSHOTS.delete(folder)
    SNAPSHOTS.seal(source, folder, ABOUT)
    assert isinstance(SNAPSHOTS.find_damage(folder, seal), Damaged)
    assert isinstance(SNAPSHOTS.unpack(folder, seal, tmp_path / "out"), Damaged)
