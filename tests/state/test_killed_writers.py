import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from attrs import evolve

from state.records import LedgerEntry, Records
from state.registry.database import View, reading, writing
from state.registry.registry import SqliteRegistry
from tests.child_processes import kill_child, next_line, python_child, wait_until
from tests.ledger_lines import ledger_lines
from tests.state.file_trees import describe_tree
from tests.state.promotions import ENTRY, intent_of, promote, release
from tests.values import NOW

ONE = Records({"notes": release(1)}, generations={"notes": 1})

# A cache of one page makes SQLite write into the database long before the commit.
HALF_A_TRANSACTION = """
import sys, time
from pathlib import Path
from state.registry.database import writing
from state.registry import ledger
from state.records import LedgerEntry
from tests.values import NOW
with writing(Path(sys.argv[1])) as connection:
    connection.execute("PRAGMA cache_size = 1")
    connection.execute("DELETE FROM canonical")
    ledger.append(connection, [LedgerEntry(NOW, "lost", "notes", {"text": "x" * 3000})] * 50)
    print("half", flush=True)
    time.sleep(600)
"""

PROMOTIONS = """
import sys
from pathlib import Path
from state.registry.registry import SqliteRegistry
from tests.state.promotions import promote, release
registry = SqliteRegistry(Path(sys.argv[1]))
generation = registry.read().generations["notes"] + 1
while True:
    promote(registry, release(generation))
    print(generation, flush=True)
    generation += 1
"""


@pytest.fixture
def recorded(registry: SqliteRegistry) -> SqliteRegistry:
    promote(registry, release(1))
    return registry


@pytest.fixture
def crashed(recorded: SqliteRegistry) -> SqliteRegistry:
    """A registry whose writer was killed after half of its transaction had reached the file."""
    before = recorded.path.read_bytes()
    with python_child(HALF_A_TRANSACTION, recorded.path) as process:
        assert next_line(process) == "half"
        kill_child(process)
    assert recorded.path.read_bytes() != before
    assert recorded.path.with_name("canon.db-journal").stat().st_size > 0
    return recorded


def test_the_journal_left_behind_is_hot(crashed: SqliteRegistry) -> None:
    """Or else the tests below would prove nothing: a plain read-only look fails."""
    plain = sqlite3.connect(f"{crashed.path.as_uri()}?mode=ro", uri=True)
    with closing(plain) as connection, pytest.raises(sqlite3.OperationalError) as caught:
        connection.execute("SELECT * FROM ledger").fetchall()
    assert caught.value.sqlite_errorcode == sqlite3.SQLITE_READONLY_ROLLBACK


def test_after_a_killed_writer_lookers_see_what_was_committed_and_touch_nothing(crashed: SqliteRegistry) -> None:
    before = describe_tree(crashed.path.parent)
    assert crashed.read() == evolve(ONE, copied=True)
    assert [each.entry.kind for each in ledger_lines(crashed)] == ["intent", "promotion"]
    assert crashed.generations("notes") == (release(1),)
    crashed.verify()
    assert describe_tree(crashed.path.parent) == before


def test_the_private_copy_is_gone_after_the_look(
    crashed: SqliteRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    with reading(crashed.path) as view:
        assert isinstance(view, View)
        assert [entry.stat().st_mode & 0o777 for entry in (tmp_path / "tmp").iterdir()] == [0o700]
    assert list((tmp_path / "tmp").iterdir()) == []


def test_the_next_writer_rolls_the_dead_one_back(crashed: SqliteRegistry) -> None:
    crashed.flush()
    crashed.append([ENTRY])
    assert crashed.read() == ONE
    assert [each.entry.kind for each in ledger_lines(crashed)] == ["intent", "promotion", "note"]
    assert [entry.name for entry in crashed.path.parent.iterdir()] == ["canon.db"]


def test_a_writer_killed_at_any_moment_loses_nothing_that_it_announced(recorded: SqliteRegistry) -> None:
    chance = random.Random(20)  # noqa: S311 - moments, no secrets
    for _ in range(8):
        with python_child(PROMOTIONS, recorded.path) as process:
            announced = int(next_line(process))
            for _ in range(chance.randrange(4)):
                announced = int(next_line(process))
            wait_until(lambda: chance.random() < 0.02)
            announced = max([announced, *map(int, kill_child(process))])
        found = recorded.read()
        present = found.canonicals["notes"].generation
        assert present - announced in {0, 1}
        assert found.canonicals["notes"] == release(present)
        assert found.intents in {(), (intent_of(release(present + 1)),)}
        recorded.verify()
        for intent in found.intents:
            recorded.abandon(intent, [LedgerEntry(NOW, "abandoned", "notes", {})])


def test_reading_beside_a_busy_writer_gives_one_instant_each_time(recorded: SqliteRegistry) -> None:
    seen: set[int] = set()
    with python_child(PROMOTIONS, recorded.path) as process:
        next_line(process)
        while len(seen) < 8:
            found = recorded.read()
            present = found.canonicals["notes"]
            assert present == release(present.generation)
            assert found.intents in {(), (intent_of(release(present.generation + 1)),)}
            assert not found.copied
            seen.add(present.generation)
        kill_child(process)


def test_a_reader_waits_for_a_writer_that_is_at_the_commit(recorded: SqliteRegistry) -> None:
    """A connection that holds the file for itself alone, for a while."""
    hold = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.readline()
connection.execute("ROLLBACK")
"""
    look = """
import sys
from pathlib import Path
from state.registry.registry import SqliteRegistry
print("looking", flush=True)
print(SqliteRegistry(Path(sys.argv[1])).read().canonicals["notes"].generation, flush=True)
"""
    with python_child(hold, recorded.path) as holder, python_child(look, recorded.path) as looker:
        assert next_line(holder) == "held"
        assert next_line(looker) == "looking"
        assert holder.stdin is not None
        print(file=holder.stdin, flush=True)
        assert next_line(looker) == "1"


def test_two_first_writers_at_once_make_one_registry(tmp_path: Path) -> None:
    first = """
import sys
from pathlib import Path
from state.registry.registry import SqliteRegistry
from tests.state.promotions import ENTRY
sys.stdin.readline()
SqliteRegistry(Path(sys.argv[1])).append([ENTRY])
print("done", flush=True)
"""
    for turn in range(3):
        path = tmp_path / str(turn) / "canon.db"
        path.parent.mkdir()
        with python_child(first, path) as one, python_child(first, path) as other:
            for process in (one, other):
                assert process.stdin is not None
                print(file=process.stdin, flush=True)
            assert next_line(one) == next_line(other) == "done"
        assert [each.seq for each in ledger_lines(SqliteRegistry(path))] == [1, 2]
        assert [entry.name for entry in path.parent.iterdir()] == ["canon.db"]


def test_a_first_writer_that_died_before_its_file_was_whole_blocks_nobody(registry: SqliteRegistry) -> None:
    registry.path.with_name("canon.db.new").write_bytes(b"half")
    assert registry.read() == Records()
    registry.append([ENTRY])
    assert [entry.name for entry in registry.path.parent.iterdir()] == ["canon.db"]
    assert len(ledger_lines(registry)) == 1


def test_a_writer_that_fails_inside_leaves_no_trace(recorded: SqliteRegistry) -> None:
    before = recorded.path.read_bytes()
    with pytest.raises(ZeroDivisionError), writing(recorded.path) as connection:
        raise ZeroDivisionError(connection.execute("DELETE FROM canonical").rowcount)
    assert recorded.path.read_bytes() == before
    assert [entry.name for entry in recorded.path.parent.iterdir()] == ["canon.db"]
