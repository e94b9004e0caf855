import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from state.folder.durable import replace_file
from state.folder.lock import hold, holder
from state.records import LedgerEntry, Memory, Records
from state.registry.registry import SqliteRegistry
from state.snapshots.snapshots import SealedSnapshots
from state.state_errors import AgainLaterError
from tests.ledger_lines import ledger_lines
from tests.state.file_trees import describe_tree
from tests.state.promotions import ENTRY, promote, release
from tests.values import NOW

pytestmark = pytest.mark.needs("root")  # to mount a small disk


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own with 512 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k,mode=0700", "tmpfs", disk], check=True)
    try:
        yield disk
    finally:
        subprocess.run(["umount", disk], check=True)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """More than the disk holds."""
    (tmp_path / "source").mkdir()
    for number in range(10):
        (tmp_path / "source" / str(number)).write_bytes(os.urandom(100_000))
    return tmp_path / "source"


def fill(disk: Path) -> Path:
    filling = disk / "filling"
    filling.touch()
    while os.statvfs(disk).f_bavail:
        with filling.open("ab") as file:
            file.write(b"f" * 4096)
    return filling


def test_sealing_onto_a_full_disk_is_tried_again_later_and_leaves_nothing(disk: Path, source: Path) -> None:
    with pytest.raises(AgainLaterError, match="No space left") as caught:
        SealedSnapshots().seal(source, disk / "work" / "candidate", {})
    assert caught.value.hint
    assert list((disk / "work").iterdir()) == []


def test_a_disk_full_at_the_manifest_leaves_nothing(disk: Path, tmp_path: Path) -> None:
    """Many empty files: the tar is the smaller part."""
    (tmp_path / "many").mkdir()
    for number in range(800):
        (tmp_path / "many" / f"{number:0100}").touch()
    (disk / "filling").write_bytes(b"f" * 400_000)
    with pytest.raises(AgainLaterError, match="No space left"):
        SealedSnapshots().seal(tmp_path / "many", disk / "candidate", {})
    assert [entry.name for entry in disk.iterdir()] == ["filling"]


def test_unpacking_onto_a_full_disk_leaves_nothing(disk: Path, source: Path, tmp_path: Path) -> None:
    seal = SealedSnapshots().seal(source, tmp_path / "sealed", {})
    before = describe_tree(tmp_path / "sealed")
    with pytest.raises(AgainLaterError, match="No space left"):
        SealedSnapshots().unpack(tmp_path / "sealed", seal, disk / "out")
    assert list(disk.iterdir()) == []
    assert describe_tree(tmp_path / "sealed") == before


def test_a_write_that_does_not_fit_leaves_the_records_as_they_were(disk: Path) -> None:
    registry = SqliteRegistry(disk / "canon.db")
    promote(registry, release(1))
    filling = fill(disk)
    with pytest.raises(AgainLaterError, match="full"):
        registry.remember([Memory("notes")], [LedgerEntry(NOW, "note", "notes", {"text": "x" * 10_000})])
    assert registry.read() == Records({"notes": release(1)}, generations={"notes": 1})
    filling.unlink()
    registry.append([ENTRY])
    registry.verify()
    assert len(ledger_lines(registry)) == 3


def test_a_registry_that_does_not_fit_is_not_made(disk: Path) -> None:
    filling = fill(disk)
    registry = SqliteRegistry(disk / "canon.db")
    with pytest.raises(AgainLaterError, match="No space left"):
        registry.append([ENTRY])
    assert registry.read() == Records()
    filling.unlink()
    registry.append([ENTRY])
    assert [entry.name for entry in disk.iterdir()] == ["canon.db"]


def test_a_lock_holds_on_a_full_disk_under_which_room_can_be_made(disk: Path) -> None:
    fill(disk)
    with hold(disk / "lock", "reconcile"):
        assert holder(disk / "lock") is not None
        SealedSnapshots().delete(disk / "filling")
    assert [entry.name for entry in disk.iterdir()] == ["lock"]


def test_what_does_not_fit_leaves_the_old_file_alone_and_nothing_beside_it_and_is_named(disk: Path) -> None:
    replace_file(disk / "page.html", b"old")
    fill(disk)
    with pytest.raises(OSError, match="No space left") as caught:
        replace_file(disk / "page.html", b"new" * 10_000)
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(disk / "page.html"))
    assert {path.name for path in disk.iterdir()} == {"page.html", "filling"}
    assert (disk / "page.html").read_bytes() == b"old"
