"""Files with holes: they stay small in a snapshot, come back with their holes, and any tar reads them."""

import hashlib
import io
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from state.records import Damaged
from state.snapshots import manifest as manifests
from state.snapshots.manifest import SealedEntry
from state.snapshots.members import extents_in
from state.snapshots.sealed_files import MismatchError
from state.snapshots.sparse import pieces, sparse_head, table_of
from tests.snapshot_tar import tar_in
from tests.state.file_trees import SNAPSHOTS, describe_tree
from tests.state.forged_snapshot import write_forged, write_forged_file

MIB = 1 << 20
# Many times the piece that is read, written or hashed at once.
SIZE = 24 * MIB


def write_at(path: Path, size: int, *places: int) -> None:
    """A file of `size` with a little data at each place, and holes between."""
    with path.open("wb") as file:
        for place in places:
            file.seek(place)
            file.write(b"data" * 1024)
        file.truncate(size)


def on_disk(path: Path) -> int:
    return path.stat().st_blocks * 512


@pytest.fixture
def source(tmp_path: Path) -> Path:
    source = tmp_path / "source"
    (source / "data").mkdir(parents=True)
    write_at(source / "data" / "begins", SIZE, 0)
    write_at(source / "data" / "ends", SIZE, SIZE - 4096)
    write_at(source / "data" / "between", SIZE + 1, 2 * MIB, 16 * MIB)
    write_at(source / "data" / "hole", SIZE)
    write_at(source / "data" / ("long " * 40 + "ü"), SIZE, SIZE // 2)
    (source / "data" / "whole").write_bytes(b"w" * 5000)
    os.link(source / "data" / "between", source / "data" / "linked")
    if on_disk(source / "data" / "hole"):
        pytest.skip("this file system keeps no holes")
    return source


def test_holes_take_no_room_and_come_back_as_holes_with_the_same_content(source: Path, tmp_path: Path) -> None:
    before = describe_tree(source, changes=False, special=False)
    seal = SNAPSHOTS.seal(source, tmp_path / "sealed", {})
    assert seal.packed < MIB
    assert seal.bytes == 5 * SIZE + 1 + 5000
    assert SNAPSHOTS.find_damage(tmp_path / "sealed", seal) is None
    assert SNAPSHOTS.unpack(tmp_path / "sealed", seal, tmp_path / "out") == {}
    assert describe_tree(tmp_path / "out", changes=False, special=False) == before
    assert sum(on_disk(path) for path in (tmp_path / "out" / "data").iterdir()) < MIB


def test_the_hash_of_a_file_with_holes_is_that_of_its_content(source: Path, tmp_path: Path) -> None:
    seal = SNAPSHOTS.seal(source, tmp_path / "sealed", {})
    manifest = manifests.decode((tmp_path / "sealed" / "manifest.json").read_bytes())
    hashes = {entry.path: entry.sha256 for entry in manifest.entries if entry.type == "file"}
    assert seal.entries == len(manifest.entries)
    for name in ("between", "hole"):
        with (source / "data" / name).open("rb") as file:
            assert hashes[f"data/{name}"] == hashlib.file_digest(file, "sha256").hexdigest()


@pytest.mark.skipif(shutil.which("tar") is None, reason="no tar here")
def test_the_system_s_own_tar_reads_it(source: Path, tmp_path: Path) -> None:
    SNAPSHOTS.seal(source, tmp_path / "sealed", {})
    (tmp_path / "out").mkdir()
    subprocess.run(["tar", "-C", tmp_path / "out", "-x"], input=tar_in(tmp_path / "sealed"), check=True)
    for path in (source / "data").iterdir():
        with path.open("rb") as one, (tmp_path / "out" / "data" / path.name).open("rb") as other:
            assert hashlib.file_digest(one, "sha256").digest() == hashlib.file_digest(other, "sha256").digest()


def test_an_old_snapshot_with_holes_stored_as_zeros_is_still_read(tmp_path: Path) -> None:
    """As versions before this one wrote it: no holes, and a record for each time."""
    info = tarfile.TarInfo("a")
    info.size, info.mode, info.uid, info.gid = 3 * 4096, 0o600, os.geteuid(), os.getegid()
    info.pax_headers = {"mtime": "1700000000.123456789"}
    content = bytes(2 * 4096) + b"x" * 4096
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(info, io.BytesIO(content))
    digest = hashlib.sha256(content).hexdigest()
    entry = SealedEntry("a", "file", 0o600, os.geteuid(), os.getegid(), 1700000000123456789, len(content), digest)
    folder = tmp_path / "sealed"
    seal = write_forged_file(folder, made.getvalue(), [entry], form=1)
    assert SNAPSHOTS.unpack(folder, seal, tmp_path / "out") == {}
    assert (tmp_path / "out" / "a").read_bytes() == content
    assert (tmp_path / "out" / "a").stat().st_mtime_ns == 1700000000123456789


def test_a_table_that_does_not_fit_its_file_is_damage(tmp_path: Path) -> None:
    entry = SealedEntry(
        "a", "file", 0o600, os.geteuid(), os.getegid(), 0, 4096, hashlib.sha256(bytes(4096)).hexdigest()
    )
    info = tarfile.TarInfo("a")
    info.size, info.mode, info.uid, info.gid = 4096, 0o600, os.geteuid(), os.getegid()
    table = table_of(((8192, 4),))
    packed = sparse_head(info, len(table) + 4) + table + b"data" + bytes(508) + bytes(1024)
    folder = tmp_path / "sealed"
    seal = write_forged(folder, packed, [entry])
    found = SNAPSHOTS.unpack(folder, seal, tmp_path / "out")
    assert isinstance(found, Damaged)
    assert "does not fit" in found.reason
    assert not (tmp_path / "out").exists()


def test_more_data_than_a_plain_header_can_tell_is_read_with_its_holes() -> None:
    """Eight GiB and more of data beside holes; Python's reader fails where a pax record holds that size."""
    info = tarfile.TarInfo("a" * 120)
    info.size, stored = 40 << 30, 9 << 30
    head = sparse_head(info, stored)
    table = table_of(((0, (9 << 30) - 512),))
    with tarfile.open(fileobj=io.BytesIO(head + table), mode="r:") as archive:
        found = archive.next()
        assert found is not None
        assert (found.name, found.size) == ("a" * 120, 40 << 30)
        assert extents_in(found) == ((0, (9 << 30) - 512),)
        assert found.offset_data == len(head) + 512


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=8), st.integers(0, 60))
def test_pieces_cover_a_file_once_and_in_order_or_the_table_is_refused(table: list[tuple[int, int]], size: int) -> None:
    ends = [0, *(offset + length for offset, length in table)]
    fits = all(offset >= end for end, (offset, _) in zip(ends, table, strict=False)) and max(ends) <= size
    if not fits:
        with pytest.raises(MismatchError):
            pieces(table, size)
        return
    found = pieces(table, size)
    assert [piece.offset for piece in found] == [sum(each.length for each in found[:n]) for n in range(len(found))]
    assert sum(piece.length for piece in found) == size
    data = {at for piece in found if not piece.is_hole for at in range(piece.offset, piece.offset + piece.length)}
    assert data == {at for offset, length in table for at in range(offset, offset + length)}
