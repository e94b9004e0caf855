import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from state.records import Memory, Records
from state.registry.database import writing
from state.registry.registry import SqliteRegistry
from state.registry.registry_faults import registry_errors
from state.state_errors import AgainLaterError, RegistryDamagedError, RegistryError, StateError
from tests.ledger_lines import ledger_lines
from tests.reconcile_command import TREE
from tests.state.file_trees import describe_tree
from tests.state.promotions import ENTRY, intent_of, promote, release

# ---- the file ----


def test_reading_a_registry_that_does_not_exist_makes_no_file(tmp_path: Path) -> None:
    registry = SqliteRegistry(tmp_path / "missing" / "canon.db")
    assert registry.read() == Records()
    assert [*ledger_lines(registry), *registry.generations("notes"), *ledger_lines(registry, "notes", "trial")] == []
    registry.verify()
    registry.flush()
    assert list(tmp_path.iterdir()) == []


def test_remembering_and_appending_nothing_makes_no_file(registry: SqliteRegistry) -> None:
    registry.remember([], [])
    registry.append([])
    assert not registry.path.exists()


def test_a_write_into_a_missing_folder_says_where(tmp_path: Path) -> None:
    registry = SqliteRegistry(tmp_path / "missing" / "canon.db")
    with pytest.raises(RegistryError, match=r"missing/canon\.db.*No such file"):
        registry.append([ENTRY])


def test_the_file_is_private_and_alone(registry: SqliteRegistry) -> None:
    registry.append([ENTRY])
    assert [(entry.name, entry.stat().st_mode & 0o777) for entry in registry.path.parent.iterdir()] == [
        ("canon.db", 0o600)
    ]


def test_reading_touches_nothing(registry: SqliteRegistry) -> None:
    promote(registry, release(1))
    before = describe_tree(registry.path.parent)
    registry.read()
    ledger_lines(registry)
    registry.verify()
    registry.generations("notes")
    assert describe_tree(registry.path.parent) == before


def test_odd_characters_in_the_path_are_part_of_it(tmp_path: Path) -> None:
    folder = tmp_path / "a?mode=memory#%41 ü"
    folder.mkdir()
    SqliteRegistry(folder / "canon.db").append([ENTRY])
    assert (folder / "canon.db").exists()
    assert len(ledger_lines(SqliteRegistry(folder / "canon.db"))) == 1


def test_commits_are_made_durable_with_a_journal_and_full_flushes(registry: SqliteRegistry) -> None:
    with writing(registry.path) as connection:
        modes = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
    assert modes == ["delete", 3]


# ---- damage is an error, never an empty registry ----


def test_an_emptied_file_is_damage(registry: SqliteRegistry) -> None:
    registry.path.touch()
    with pytest.raises(RegistryError, match="not a registry of Canon"):
        registry.read()
    with pytest.raises(RegistryError, match="not a registry of Canon"):
        registry.append([ENTRY])


@pytest.mark.parametrize("content", [b"x", b"x" * 10_000, b"SQLite format 3\0" + b"x" * 10_000])
def test_a_file_that_is_no_database_is_damage(registry: SqliteRegistry, content: bytes) -> None:
    registry.path.write_bytes(content)
    with pytest.raises(RegistryError, match=r"file is not a database|not a registry"):
        registry.read()


def test_another_programs_database_is_refused_and_kept(registry: SqliteRegistry) -> None:
    with closing(sqlite3.connect(registry.path)) as connection:
        connection.execute("CREATE TABLE other (x)")
    before = registry.path.read_bytes()
    for act in (registry.read, lambda: registry.append([ENTRY])):
        with pytest.raises(RegistryError, match="not a registry of Canon"):
            act()
    assert registry.path.read_bytes() == before


def test_a_missing_database_with_a_journal_is_damage(registry: SqliteRegistry) -> None:
    registry.path.with_name("canon.db-journal").write_bytes(b"left")
    for act in (registry.read, lambda: registry.append([ENTRY])):
        with pytest.raises(RegistryError, match="is gone, but its journal is there"):
            act()
    assert not registry.path.exists()


def test_a_missing_database_with_snapshots_is_damage(registry: SqliteRegistry) -> None:
    sealed = registry.path.with_name("canonicals")
    (sealed / "notes" / "1").mkdir(parents=True)
    for act in (registry.read, lambda: registry.append([ENTRY])):
        with pytest.raises(RegistryError, match="the snapshots that it records are there") as caught:
            act()
        assert f"move {sealed} away" in caught.value.hint
    assert not registry.path.exists()
    (sealed / "notes").rename(registry.path.with_name("aside"))
    assert registry.read() == Records()


def test_a_folder_or_a_dangling_link_in_its_place_is_damage(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("nowhere")
    for name in ("folder", "link"):
        with pytest.raises(RegistryError):
            SqliteRegistry(tmp_path / name).read()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE memory SET record = replace(record, '1.5', '2.5')",
        "UPDATE memory SET recipe = 'other'",
        "UPDATE memory SET digest = 'x'",
        "UPDATE memory SET record = '{}'",
        "DELETE FROM canonical WHERE generation = 2",
        "UPDATE generation SET last = 9 WHERE recipe = 'notes'",
        "UPDATE memory SET record = CAST(x'ff' AS TEXT)",
    ],
)
def test_a_row_changed_by_another_hand_is_its_recipes_trouble_alone(registry: SqliteRegistry, statement: str) -> None:
    promote(registry, release(1))
    promote(registry, release(2))
    promote(registry, release(1, "wiki"))
    registry.remember([Memory("notes", seconds=1.5)], [])
    with closing(sqlite3.connect(registry.path)) as connection:
        connection.execute(statement)
        connection.commit()
    records = registry.read()
    assert "notes" in records.unreadable
    assert set(records.canonicals) == {"wiki"}
    assert "notes" not in records.memories
    registry.forget("notes", [])
    assert registry.read().canonicals == {"wiki": release(1, "wiki")}


def test_a_flipped_byte_is_an_error_or_changes_nothing(registry: SqliteRegistry) -> None:
    """Every 37th byte: enough to meet each kind of page, header and cell many times."""
    for generation in (1, 2):
        promote(registry, release(generation))
    registry.remember([Memory("notes"), Memory("wiki", seconds=1.5)], [ENTRY])
    registry.begin(intent_of(release(3)), [ENTRY])
    expected, content = registry.read(), registry.path.read_bytes()
    refused = 0
    for place in range(0, len(content), 37):
        mask = 0xFF if place % 2 else 0x41
        registry.path.write_bytes(content[:place] + bytes([content[place] ^ mask]) + content[place + 1 :])
        try:
            found = registry.read()
        except RegistryError:
            refused += 1
        else:
            refused += bool(found.unreadable)
            assert found == expected or set(found.unreadable) & {"notes", "wiki"}, place
    assert refused > 100
    registry.path.write_bytes(content)
    assert registry.read() == expected


# ---- faults that are not the file's ----

GROW = """
import resource, sys
from pathlib import Path
from state.state_errors import AgainLaterError
from state.records import Memory
from state.registry.registry import SqliteRegistry
path = Path(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size,) * 2)
try:
    SqliteRegistry(path).remember([Memory(f"recipe-{number}") for number in range(2000)], [])
except AgainLaterError as refused:
    print(refused.message, refused.hint, sep="; ")
"""


def test_a_limit_on_the_size_of_files_is_no_damage_and_the_hint_moves_nothing(registry: SqliteRegistry) -> None:
    promote(registry, release(1))
    done = subprocess.run(
        [sys.executable, "-c", GROW, registry.path], cwd=TREE, capture_output=True, text=True, check=True
    )
    assert "disk I/O error" in done.stdout
    assert "the limit on the size of files (ulimit -f); leave the registry where it is" in done.stdout
    assert registry.read().canonicals == {"notes": release(1)}


@pytest.mark.parametrize(
    ("code", "kind", "moves"),
    [
        (sqlite3.SQLITE_CORRUPT, RegistryDamagedError, True),
        (sqlite3.SQLITE_NOTADB, RegistryDamagedError, True),
        (sqlite3.SQLITE_IOERR, AgainLaterError, False),
        (sqlite3.SQLITE_IOERR | 3 << 8, AgainLaterError, False),
        (sqlite3.SQLITE_FULL, AgainLaterError, False),
        (sqlite3.SQLITE_NOMEM, AgainLaterError, False),
        (sqlite3.SQLITE_BUSY, AgainLaterError, False),
        (sqlite3.SQLITE_CANTOPEN, RegistryError, False),
        (sqlite3.SQLITE_READONLY, RegistryError, False),
        (sqlite3.SQLITE_PERM, RegistryError, False),
        (sqlite3.SQLITE_AUTH, RegistryError, False),
        (sqlite3.SQLITE_TOOBIG, RegistryError, False),
    ],
)
def test_moving_the_file_away_is_advised_only_where_it_is_damaged(
    tmp_path: Path, code: int, kind: type[StateError], *, moves: bool
) -> None:
    failed = sqlite3.OperationalError("as SQLite says it")
    failed.sqlite_errorcode = code
    with pytest.raises(kind, match="as SQLite says it") as caught, registry_errors(tmp_path / "canon.db"):
        raise failed
    assert type(caught.value) is kind
    assert (" away, keep that" in caught.value.hint) is moves
