import os
from collections.abc import Callable
from pathlib import Path

from state.snapshots.snapshots import SealedSnapshots, generations_present
from tests.child_processes import kill_child, python_child, wait_until

SEALING = """
import sys, time
from pathlib import Path
from state.snapshots.snapshots import SealedSnapshots
SealedSnapshots().seal(Path(sys.argv[1]), Path(sys.argv[2]), {})
time.sleep(600)
"""

DELETING = """
import sys, time
from pathlib import Path
from state.snapshots.snapshots import SealedSnapshots
SealedSnapshots().delete(Path(sys.argv[1]))
time.sleep(600)
"""


def test_a_sealer_killed_at_any_moment_leaves_a_whole_snapshot_or_none(tmp_path: Path) -> None:
    source, into = tmp_path / "source", tmp_path / "work" / "candidate"
    source.mkdir()
    into.parent.mkdir()
    for number in range(8):
        (source / f"file-{number}").write_bytes(os.urandom(1 << 20))
    whole = SealedSnapshots().seal(source, tmp_path / "example", {})
    for moment in _moments(into):
        with python_child(SEALING, source, into) as process:
            wait_until(lambda: moment() or into.exists())  # noqa: B023 - used within the same turn
            kill_child(process)
        if into.exists():
            assert (into / "manifest.json").read_bytes() == (tmp_path / "example" / "manifest.json").read_bytes()
            assert (into / "snapshot.tar.zst").stat().st_size == whole.packed
        SealedSnapshots().delete(into)
        seal = SealedSnapshots().seal(source, into, {})
        assert seal.manifest == whole.manifest
        assert [entry.name for entry in into.parent.iterdir()] == ["candidate"]
        SealedSnapshots().delete(into)
        assert list(into.parent.iterdir()) == []


def _moments(into: Path) -> list[Callable[[], bool]]:
    partial = into.with_name(f".{into.name}.partial")
    tar, manifest = partial / "snapshot.tar.zst", partial / "manifest.json"
    return [
        partial.exists,
        tar.exists,
        lambda: _size(tar) > 1 << 20,
        lambda: _size(tar) > 7 << 20,
        manifest.exists,
        into.exists,
    ]


def test_a_deletion_that_was_killed_is_still_seen_and_can_be_done_again(tmp_path: Path) -> None:
    folder = tmp_path / "canonicals" / "notes" / "3"
    folder.mkdir(parents=True)
    for number in range(5000):
        (folder / str(number)).touch()
    with python_child(DELETING, folder) as process:
        wait_until(lambda: _count(folder) < 5000)
        kill_child(process)
    if folder.exists():
        assert generations_present(folder.parent) == (3,)
    SealedSnapshots().delete(folder)
    assert generations_present(folder.parent) == ()
    assert list(folder.parent.iterdir()) == []


def _count(folder: Path) -> int:
    try:
        return len(os.listdir(folder))  # noqa: PTH208 - names, not paths
    except FileNotFoundError:
        return 0


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
