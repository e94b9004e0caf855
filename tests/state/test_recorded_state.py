"""A state folder that an older Canon really left, recorded by `tests/state/record_state.py`."""

import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import pytest
from attrs import evolve

from desired.declarations.declared import read_fleet
from desired.digest import files_digest
from reconciler.deploy.tests_digest import with_tests
from state.folder.folder import StateFolder
from state.records import Canonical
from state.registry import database
from state.registry.registry import SqliteRegistry
from state.snapshots.snapshots import SealedSnapshots
from tests.state.promotions import ENTRY
from tests.state.record_state import FORMAT_1, VERSIONS
from tests.values import observation


@pytest.fixture
def recorded(tmp_path: Path) -> StateFolder:
    with tarfile.open(FORMAT_1) as packed:
        packed.extractall(tmp_path, filter="data")
    return StateFolder(tmp_path / "var" / "lib" / "reconcile")


def test_all_generations_of_an_older_format_are_read_and_their_snapshots_are_whole(recorded: StateFolder) -> None:
    newest, *_ = generations = SqliteRegistry(recorded.database).generations("notes")
    assert [each.version for each in reversed(generations)] == list(VERSIONS)
    assert SqliteRegistry(recorded.database).read().canonicals == {"notes": newest}
    assert [_damage(recorded, each) for each in generations] == [None, None, None]
    assert _format(recorded.database) == 1


def test_the_first_write_to_an_older_format_loses_nothing_and_leaves_a_copy(recorded: StateFolder) -> None:
    registry, before = SqliteRegistry(recorded.database), recorded.database.read_bytes()
    lines, generations = registry.lines(), registry.generations("notes")
    registry.append([ENTRY])
    assert _format(recorded.database) == len(database.STEPS)
    assert registry.lines()[:-1] == lines
    assert len(lines) > len(VERSIONS)
    assert registry.generations("notes") == generations
    registry.verify()
    assert database.copy_before(recorded.database, 1).read_bytes() == before


def test_the_tests_of_an_older_canonical_have_the_digest_that_is_recorded(recorded: StateFolder) -> None:
    fleet, records = (
        read_fleet(recorded.root.parents[2] / "etc" / "reconcile"),
        SqliteRegistry(recorded.database).read(),
    )
    declared = fleet.recipes["notes"]
    files = files_digest({"notes": declared.folder})
    seen = evolve(observation({}), recipe=declared, files=files.whole, test_files=files.tests)
    [now] = with_tests({"notes": seen}, {}, fleet.recipes, records.canonicals).values()
    assert now.tests == records.canonicals["notes"].evidence.tests


def _damage(state: StateFolder, canonical: Canonical) -> object:
    """Return how a generation's snapshot is damaged, None if it is not. All is hashed, as its files have new inodes."""
    return SealedSnapshots().find_damage(state.canonical("notes", canonical.generation), canonical.seal)


def _format(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        (number,) = connection.execute("PRAGMA user_version").fetchone()
    return int(number)
