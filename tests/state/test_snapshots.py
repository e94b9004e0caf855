import hashlib
import io
import json
import os
import socket
import stat
import tarfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given, settings

from reconciler import ports
from state import manifest as manifests
from state.errors import SnapshotError
from state.manifest import SealedEntry
from state.model import Damaged, FileSeal, Seal
from state.packing import HashingWriter, header, pack
from state.snapshots import SealedSnapshots, generations_present
from tests.state.trees import TREES, Folder, Node, picture, plant

SNAPSHOTS = SealedSnapshots()
ABOUT = {"apps": {"notes": {"version": "1.0.0"}}, "odd": "\udcff"}


def test_it_answers_the_port() -> None:
    port: ports.Snapshots = SNAPSHOTS
    assert port is SNAPSHOTS


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A small tree with one entry of each type."""
    source = tmp_path / "source"
    (source / "data").mkdir(parents=True)
    (source / "data" / "notes.db").write_bytes(b"kept" * 20)
    (source / "data" / "again.db").hardlink_to(source / "data" / "notes.db")
    (source / "link").symlink_to("data/notes.db")
    return source


@pytest.fixture
def sealed(source: Path, tmp_path: Path) -> tuple[Path, Seal]:
    return tmp_path / "sealed", SNAPSHOTS.seal(source, tmp_path / "sealed", ABOUT)


# ---- there and back ----


@settings(max_examples=60)
@given(TREES)
def test_a_tree_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, tree: dict[bytes, Node]) -> None:
    folder = tmp_path_factory.mktemp("trees")
    (folder / "source").mkdir()
    plant(tree, os.fsencode(folder / "source"))
    before = picture(folder / "source", changes=False, special=False)
    seal = SNAPSHOTS.seal(folder / "source", folder / "sealed", ABOUT)
    assert SNAPSHOTS.glance(folder / "sealed", seal) is None
    assert SNAPSHOTS.unpack(folder / "sealed", seal, folder / "out") == ABOUT
    assert picture(folder / "out", changes=False, special=False) == before
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
    assert (tmp_path / "one" / "snapshot.tar").read_bytes() == (tmp_path / "other" / "snapshot.tar").read_bytes()
    assert one.manifest == other.manifest


def test_the_manifest_says_what_is_inside_and_what_was_left_out(source: Path, tmp_path: Path) -> None:
    os.mkfifo(source / "fifo")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.fspath(source / "socket"))
        seal = SNAPSHOTS.seal(source, tmp_path / "sealed", ABOUT)
    manifest = json.loads((tmp_path / "sealed" / "manifest.json").read_bytes())
    assert manifest["format"] == 1
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
    assert seal.packed == manifest["tar"]["bytes"] == (tmp_path / "sealed" / "snapshot.tar").stat().st_size


def test_names_that_are_no_text_do_not_depend_on_the_locale(source: Path, tmp_path: Path) -> None:
    (source / os.fsdecode(b"\xff")).touch()
    SNAPSHOTS.seal(source, tmp_path / "sealed", {})
    content = (tmp_path / "sealed" / "manifest.json").read_bytes()
    assert content.isascii()
    assert b'"path":"\\udcff"' in content


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_what_is_sealed_is_private_whatever_the_umask(source: Path, tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        SNAPSHOTS.seal(source, tmp_path / "made" / "sealed", {})
    finally:
        os.umask(before)
    for folder in (tmp_path / "made", tmp_path / "made" / "sealed"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "made" / "sealed").iterdir()} == {0o600}


# ---- damage is found ----


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


@pytest.mark.parametrize("name", ["snapshot.tar", "manifest.json"])
def test_every_flipped_byte_is_found_before_anything_is_unpacked(
    sealed: tuple[Path, Seal], tmp_path: Path, name: str
) -> None:
    folder, seal = sealed
    step = 7 if name == "snapshot.tar" else 1
    for place in range(0, seal.files[name].size, step):
        with flipped(folder / name, place):
            assert isinstance(SNAPSHOTS.glance(folder, seal), Damaged), place
            assert isinstance(SNAPSHOTS.unpack(folder, seal, tmp_path / "out"), Damaged), place
            assert not (tmp_path / "out").exists()
    assert SNAPSHOTS.unpack(folder, seal, tmp_path / "out") == ABOUT


def test_a_look_that_changed_over_the_same_content_is_no_damage(sealed: tuple[Path, Seal]) -> None:
    folder, seal = sealed
    for name in seal.files:
        (folder / name).touch()
    assert SNAPSHOTS.glance(folder, seal) is None


def test_a_glance_trusts_a_file_that_looks_as_when_it_was_sealed(sealed: tuple[Path, Seal]) -> None:
    folder, seal = sealed
    with flipped(folder / "snapshot.tar", 600):
        look = (folder / "snapshot.tar").stat()
        trusting = FileSeal(look.st_ino, look.st_size, look.st_mtime_ns, look.st_ctime_ns)
        as_if = evolve(seal, files={**seal.files, "snapshot.tar": trusting})
        assert SNAPSHOTS.glance(folder, as_if) is None
        assert isinstance(SNAPSHOTS.glance(folder, seal), Damaged)


def test_a_glance_reads_nothing_of_what_it_trusts(sealed: tuple[Path, Seal]) -> None:
    folder, seal = sealed
    for name in seal.files:
        os.utime(folder / name, ns=(0, seal.files[name].mtime_ns))
    looked = evolve(seal, files={name: look_of(folder / name) for name in seal.files})
    assert SNAPSHOTS.glance(folder, looked) is None
    assert {(folder / name).stat().st_atime_ns for name in seal.files} == {0}


def look_of(path: Path) -> FileSeal:
    look = path.stat()
    return FileSeal(look.st_ino, look.st_size, look.st_mtime_ns, look.st_ctime_ns)


def _cut(folder: Path) -> None:
    os.truncate(folder / "snapshot.tar", 100)


def _replace_by_link(folder: Path) -> None:
    (folder / "snapshot.tar").rename(folder.parent / "elsewhere")
    (folder / "snapshot.tar").symlink_to("../elsewhere")


def _replace_by_fifo(folder: Path) -> None:
    (folder / "manifest.json").unlink()
    os.mkfifo(folder / "manifest.json")


def _remove_all(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()


DAMAGES = {
    "lacks snapshot.tar": lambda folder: (folder / "snapshot.tar").unlink(),
    "lacks manifest.json": lambda folder: (folder / "manifest.json").unlink(),
    "was not sealed": lambda folder: (folder / "more").touch(),
    "is missing": _remove_all,
    "has 100 bytes": _cut,
    "snapshot.tar is no regular file": _replace_by_link,
    "manifest.json is no regular file": _replace_by_fifo,
}


@pytest.mark.parametrize("words", DAMAGES)
def test_damage_is_told_with_what_is_wrong(sealed: tuple[Path, Seal], tmp_path: Path, words: str) -> None:
    folder, seal = sealed
    DAMAGES[words](folder)
    for found in (SNAPSHOTS.glance(folder, seal), SNAPSHOTS.unpack(folder, seal, tmp_path / "out")):
        assert isinstance(found, Damaged)
        assert words in found.reason
    assert not (tmp_path / "out").exists()
    with pytest.raises(SnapshotError, match=words):
        SNAPSHOTS.move(folder, tmp_path / "moved", seal)


def test_another_snapshot_in_its_place_is_damage(sealed: tuple[Path, Seal], source: Path, tmp_path: Path) -> None:
    """Whole in itself, and of the same sizes: only the recorded hash tells."""
    folder, seal = sealed
    (source / "data" / "notes.db").write_bytes(b"fake" * 20)
    SNAPSHOTS.delete(folder)
    SNAPSHOTS.seal(source, folder, ABOUT)
    assert isinstance(SNAPSHOTS.glance(folder, seal), Damaged)
    assert isinstance(SNAPSHOTS.unpack(folder, seal, tmp_path / "out"), Damaged)


# ---- a tar that was sealed by someone who wished us ill ----


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
    files = {name: look_of(folder / name) for name in ("snapshot.tar", "manifest.json")}
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
    before = picture(tmp_path, special=False)
    found = SNAPSHOTS.unpack(tmp_path / "sealed", seal, tmp_path / "out")
    assert isinstance(found, Damaged)
    assert picture(tmp_path, special=False) == before


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


# ---- sealing, moving, deleting ----


def test_a_place_that_is_taken_is_left_as_it_is(sealed: tuple[Path, Seal], source: Path, tmp_path: Path) -> None:
    folder, seal = sealed
    (tmp_path / "taken").mkdir()
    before = picture(tmp_path)
    with pytest.raises(SnapshotError, match="is there already"):
        SNAPSHOTS.seal(source, tmp_path / "taken", {})
    with pytest.raises(SnapshotError, match="is there already"):
        SNAPSHOTS.unpack(folder, seal, tmp_path / "taken")
    with pytest.raises(SnapshotError, match="is there already"):
        SNAPSHOTS.move(folder, tmp_path / "taken", seal)
    assert picture(tmp_path) == before


def test_a_missing_source_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="No such file"):
        SNAPSHOTS.seal(tmp_path / "missing", tmp_path / "sealed", {})
    assert list(tmp_path.iterdir()) == []


def test_a_moved_snapshot_is_sealed_at_its_new_place(sealed: tuple[Path, Seal], tmp_path: Path) -> None:
    folder, seal = sealed
    to = tmp_path / "canonicals" / "notes" / "1"
    moved = SNAPSHOTS.move(folder, to, seal)
    assert not folder.exists()
    assert SNAPSHOTS.glance(to, moved) is None
    assert {name: look_of(to / name) for name in moved.files} == moved.files
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
