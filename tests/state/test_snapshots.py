import json
import os
import socket
import stat
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given, settings

from reconciler.ports import storage as ports
from state.records import Seal
from state.snapshots.packing import HashingWriter, pack
from state.snapshots.snapshots import generations_present
from state.state_errors import SnapshotError
from tests.state.file_trees import ABOUT, SNAPSHOTS, TREES, Folder, Node, describe_tree, file_seal, write_tree


def test_it_answers_the_port() -> None:
    port: ports.Snapshots = SNAPSHOTS
    assert port is SNAPSHOTS


# ---- there and back ----


@settings(max_examples=60)
@given(TREES)
def test_an_unpacked_tree_equals_the_packed_one(
    tmp_path_factory: pytest.TempPathFactory, tree: dict[bytes, Node]
) -> None:
    folder = tmp_path_factory.mktemp("trees")
    (folder / "source").mkdir()
    write_tree(tree, os.fsencode(folder / "source"))
    before = describe_tree(folder / "source", changes=False, special=False)
    seal = SNAPSHOTS.seal(folder / "source", folder / "sealed", ABOUT)
    assert SNAPSHOTS.find_damage(folder / "sealed", seal) is None
    assert SNAPSHOTS.unpack(folder / "sealed", seal, folder / "out") == ABOUT
    assert describe_tree(folder / "out", changes=False, special=False) == before
    assert seal.entries == len(before)


def test_the_trees_drawn_hold_every_kind_of_entry_and_hostile_names() -> None:
    drawn: Counter[str] = Counter()

    @settings(max_examples=100, database=None)
    @given(TREES)
    def count(tree: dict[bytes, Node]) -> None:
        for name, node in _nodes(tree):
            drawn[type(node).__name__] += 1
            drawn["no text"] += not _is_text(name)
            drawn["long"] += len(name) > 100

    count()
    assert set(drawn) == {"File", "Folder", "Symlink", "Hardlink", "Fifo", "no text", "long"}
    assert min(drawn.values()) >= 10, drawn


def _nodes(tree: dict[bytes, Node]) -> Iterator[tuple[bytes, Node]]:
    for name, node in tree.items():
        yield name, node
        if isinstance(node, Folder):
            yield from _nodes(node.children)


def _is_text(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True


def test_the_same_tree_gives_the_same_bytes(source: Path, tmp_path: Path) -> None:
    one = SNAPSHOTS.seal(source, tmp_path / "one", {})
    other = SNAPSHOTS.seal(source, tmp_path / "other", {})
    assert (tmp_path / "one" / "snapshot.tar.zst").read_bytes() == (
        tmp_path / "other" / "snapshot.tar.zst"
    ).read_bytes()
    assert one.manifest == other.manifest


def test_the_manifest_says_what_is_inside_and_what_was_left_out(source: Path, tmp_path: Path) -> None:
    os.mkfifo(source / "fifo")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.fspath(source / "socket"))
        seal = SNAPSHOTS.seal(source, tmp_path / "sealed", ABOUT)
    manifest = json.loads((tmp_path / "sealed" / "manifest.json").read_bytes())
    assert manifest["format"] == 2
    assert manifest["about"] == ABOUT
    assert manifest["totals"] == {"entries": 4, "bytes": 80, "skipped": 2}
    assert manifest["skipped"] == [{"path": "fifo", "type": "fifo"}, {"path": "socket", "type": "socket"}]
    assert [(entry["path"], entry["type"], entry["size"], entry["target"]) for entry in manifest["entries"]] == [
        ("data", "folder", 0, ""),
        ("data/again.db", "file", 80, ""),
        ("data/notes.db", "hardlink", 0, "data/again.db"),
        ("link", "symlink", 0, "data/notes.db"),
    ]
    assert (seal.bytes, seal.entries) == (80, 4)
    assert seal.packed == manifest["tar"]["bytes"] == (tmp_path / "sealed" / "snapshot.tar.zst").stat().st_size


def test_names_that_are_no_text_do_not_depend_on_the_locale(source: Path, tmp_path: Path) -> None:
    (source / os.fsdecode(b"\xff")).touch()
    SNAPSHOTS.seal(source, tmp_path / "sealed", {})
    content = (tmp_path / "sealed" / "manifest.json").read_bytes()
    assert content.isascii()
    assert b'"path":"\\udcff"' in content


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_a_snapshot_is_private_whatever_the_umask(source: Path, tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        SNAPSHOTS.seal(source, tmp_path / "made" / "sealed", {})
    finally:
        os.umask(before)
    for folder in (tmp_path / "made", tmp_path / "made" / "sealed"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "made" / "sealed").iterdir()} == {0o600}


# ---- sealing, moving, deleting ----


def test_a_path_that_is_taken_is_refused_and_left_unchanged(
    sealed: tuple[Path, Seal], source: Path, tmp_path: Path
) -> None:
    folder, seal = sealed
    (tmp_path / "taken").mkdir()
    before = describe_tree(tmp_path)
    with pytest.raises(SnapshotError, match="is there already"):
        SNAPSHOTS.seal(source, tmp_path / "taken", {})
    with pytest.raises(SnapshotError, match="is there already"):
        SNAPSHOTS.unpack(folder, seal, tmp_path / "taken")
    with pytest.raises(SnapshotError, match="is there already"):
        SNAPSHOTS.move(folder, tmp_path / "taken", seal)
    assert describe_tree(tmp_path) == before


def test_a_missing_source_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="No such file"):
        SNAPSHOTS.seal(tmp_path / "missing", tmp_path / "sealed", {})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("where", ["data", "data/kept"])
def test_data_that_a_snapshot_cannot_store_is_refused_by_name(source: Path, tmp_path: Path, where: str) -> None:
    (source / "data" / "kept").touch()
    try:
        os.setxattr(source / where, "user.ocis.name", b"x")
    except OSError as refused:
        pytest.skip(f"no attributes here: {refused}")
    with pytest.raises(SnapshotError, match=f"'{where}' has the extended attribute user.ocis.name"):
        SNAPSHOTS.seal(source, tmp_path / "sealed", {})
    assert not (tmp_path / "sealed").exists()


def test_a_moved_snapshot_is_sealed_at_its_new_place(sealed: tuple[Path, Seal], tmp_path: Path) -> None:
    folder, seal = sealed
    to = tmp_path / "canonicals" / "notes" / "1"
    moved = SNAPSHOTS.move(folder, to, seal)
    assert not folder.exists()
    assert SNAPSHOTS.find_damage(to, moved) is None
    assert {name: file_seal(to / name) for name in moved.files} == moved.files
    assert evolve(moved, files=seal.files) == seal
    assert stat.S_IMODE(to.parent.stat().st_mode) == 0o700


def test_a_file_that_grows_or_shrinks_while_it_is_packed_is_refused(source: Path) -> None:
    """The packer writes a header and then reads the file: that is when this one changes it."""
    big = source / "data" / "big"
    for size in (10, 3 << 20):
        big.write_bytes(b"b" * (2 << 20))

        class Meddler:
            def write(self, data: bytes) -> int:
                if b"data/big" in data:  # the file's header: its size was looked up, its content comes next
                    os.truncate(big, size)  # noqa: B023 - used within the same turn
                return len(data)

        with pytest.raises(SnapshotError, match="changed while it was sealed"):
            pack(os.fsencode(source), HashingWriter(Meddler()))  # type: ignore[arg-type]  # write is all it needs


def test_deleting_takes_folders_that_forbid_it_and_tolerates_absence(tmp_path: Path) -> None:
    deep = tmp_path / "slot" / "data" / "deep"
    deep.mkdir(parents=True)
    (deep / "file").touch()
    (tmp_path / "kept").mkdir()
    (deep / "out").symlink_to(tmp_path / "kept")
    (tmp_path / "kept").chmod(0o500)
    for folder in (deep, deep.parent, deep.parent.parent):
        folder.chmod(0o000)
    SNAPSHOTS.delete(tmp_path / "slot")
    SNAPSHOTS.delete(tmp_path / "slot")
    SNAPSHOTS.delete(tmp_path / "never" / "there")
    assert [entry.name for entry in tmp_path.iterdir()] == ["kept"]
    assert stat.S_IMODE((tmp_path / "kept").stat().st_mode) == 0o500


# ---- generations ----


def test_generations_are_the_folders_named_by_a_number(tmp_path: Path) -> None:
    for name in ("10", "9", "x", ".3", "-1", "٣"):
        (tmp_path / name).mkdir()
    assert generations_present(tmp_path) == (9, 10)
    assert generations_present(tmp_path / "missing") == ()
    assert not (tmp_path / "missing").exists()
