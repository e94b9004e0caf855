import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from reconciler.core.outcome import Result
from reconciler.ports.app import App
from reconciler.stages.record_outcome import KEPT_LOGS
from state.registry.registry import SqliteRegistry
from tests.damaged_generations import built, harm, have, the_row, turn_over
from tests.ledger_lines import ledger_lines
from tests.state.file_trees import file_seal
from tests.world import Behaviour, World
from tests.world_driver import WorldDriver


@pytest.fixture
def world(tmp_path: Path) -> World:
    return built(tmp_path)


# ---- moved folders, unfit data, the ledger ----


def test_a_moved_state_folder_is_hashed_by_one_pass_and_looks_write_nothing(world: World, tmp_path: Path) -> None:
    away = tmp_path / "away"
    shutil.copytree(world.state.canonicals, away)
    shutil.rmtree(world.state.canonicals)
    shutil.copytree(away, world.state.canonicals)
    before = world.state.database.read_bytes()
    assert world.look().exit_code == 0
    assert world.state.database.read_bytes() == before
    world.run()
    looks = world.records().memories["notes"].looks
    assert looks == {
        str(number): {path.name: file_seal(path) for path in world.state.canonical("notes", number).iterdir()}
        for number in (2, 3)
    }
    world.tag("notes", "1.3.0")
    assert the_row(world).result is Result.PROMOTED
    harm(world, 4, turn_over)
    assert the_row(world).result is Result.REPAIRED
    harm(world, 3, turn_over)
    assert world.records().memories["notes"].looks.keys() == {"3"}


@pytest.mark.parametrize("from_the_end", [4, 0])
def test_a_ledger_that_was_changed_is_reported_and_stops_no_pass(world: World, from_the_end: int) -> None:
    line = len(ledger_lines(SqliteRegistry(world.state.database))) - from_the_end
    with closing(sqlite3.connect(world.state.database)) as connection:
        connection.execute("DROP TRIGGER ledger_is_never_rewritten")
        connection.execute("UPDATE ledger SET body = '{}' WHERE seq = ?", (line,))
        connection.commit()
    for version in ("1.3.0", "1.4.0"):
        world.tag("notes", version)
        report = world.run().report
        assert [row.result for row in report.rows] == [Result.PROMOTED]
        assert f"ledger: line {line} was changed: it decides no verdict, only which ways are tried" in report.notes[0]
        assert len(report.notes) == 1


def test_a_canonicals_own_log_outlives_any_number_of_later_trials(world: World) -> None:
    own = world.state.trial_log("notes", have(world).evidence.trial)
    assert own.is_dir()
    world.tag("notes", "1.3.0", Behaviour(passes_custom=False))
    for _ in range(KEPT_LOGS + 2):
        world.run(retry=["notes"])
    assert own.is_dir()
    assert len(list(own.parent.iterdir())) <= KEPT_LOGS + 2


def test_data_that_no_snapshot_can_hold_is_the_recipes_fault_with_a_way_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = WorldDriver.save

    def with_attribute(apps: WorldDriver, app: App, into: Path) -> None:
        really(apps, app, into)
        try:
            os.setxattr(into / "data" / "data.json", "user.ocis.name", b"x")
        except OSError as refused:
            pytest.skip(f"no attributes here: {refused}")

    monkeypatch.setattr(WorldDriver, "save", with_attribute)
    world.tag("notes", "1.3.0")
    row = the_row(world)
    assert row.result is Result.RED
    assert row.outcome is not None
    assert "has the extended attribute user.ocis.name, which a snapshot would lose" in row.outcome.reason
    assert "configure the app to store that in its files" in row.outcome.reason
