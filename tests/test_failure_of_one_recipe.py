"""What fails for one recipe, at every call and in every pass, is that recipe's: all others are decided and tried."""

import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from reconciler.core.observation import State
from reconciler.core.outcome import Result
from reconciler.errors import InfrastructureError
from reconciler.show.text.failed_steps import notes_of
from reconciler.stages.loop import Pass
from state.state_errors import UnfitDataError
from tests.folders import mounted_folder, undeletable_file
from tests.port_calls import Call, CallRecorder, CarryOut
from tests.recipe_failures import FAULTS, ILL, MENDABLE, NEEDED, WELL, concerns, failing
from tests.state_checks import snapshot_contents
from tests.world import World

OLD, NEW = "1.0.0", "2.0.0"


def world(root: Path) -> World:
    """Three recipes with a canonical each and a newer release; the ill one comes in between."""
    made = World(root)
    for name in ("after", ILL, "well"):
        made.declare(name)
        made.tag(name, OLD)
    made.run()
    for name in ("after", ILL, "well"):
        made.tag(name, NEW)
    return made


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> World:
    return world(tmp_path_factory.mktemp("start"))


def others_are_served(done: Pass) -> None:
    results = {row.recipe: row.result for row in done.report.rows}
    assert {name: results[name] for name in WELL} == dict.fromkeys(WELL, Result.PROMOTED)
    assert (done.report.population.decided, done.report.population.reported) == (3, 3)
    tried = re.search(r"; (\d) of (\d) tried$", done.report.line)
    assert tried
    assert int(tried[1]) >= 2


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        (method, kind)
        for number, method in enumerate([*NEEDED, *MENDABLE])
        for kind in (list(FAULTS)[number % 3], "bug")
    ],
)
def test_a_permanent_failure_of_one_recipe_does_not_affect_another(
    start: World, tmp_path: Path, method: str, kind: str
) -> None:
    here = start.copy(tmp_path)
    here.wrap = recorder = failing(method, FAULTS[kind])
    done = here.run()
    others_are_served(done)
    ill = next(row for row in done.report.rows if row.recipe == ILL)
    if method in NEEDED:
        assert ill.result is not Result.PROMOTED
        assert ill.result in {Result.INFRASTRUCTURE, Result.GREEN_NOT_PROMOTED, Result.NOT_TRIED, Result.NONE}
        assert done.report.exit_code == 1 or ill.result is Result.GREEN_NOT_PROMOTED
        assert here.records().canonicals[ILL].version == OLD

    for name in WELL:
        here.tag(name, "3.0.0")
    others_are_served(here.run())

    recorder.answer = lambda _, honest: honest()
    healed = here.run()
    assert here.records().canonicals[ILL].version == NEW, healed.report.rows
    assert here.running == {}


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("method", ["upstream.ask", "registry.append"])
def test_a_call_for_all_recipes_that_fails_does_not_end_the_pass(
    start: World, tmp_path: Path, method: str, kind: str
) -> None:
    here, fault = start.copy(tmp_path), FAULTS[kind]

    def answer(call: Call, honest: CarryOut) -> object:
        if call.name == method:
            raise fault()
        return honest()

    here.wrap = CallRecorder(answer)
    report = here.run().report
    assert (report.population.decided, report.population.reported) == (3, 3)
    assert {row.result for row in report.rows} == {Result.NONE if method == "upstream.ask" else Result.PROMOTED}
    assert (report.exit_code == 1) is (method == "upstream.ask")


def test_a_driver_that_can_do_nothing_hinders_no_recipe_of_another(start: World, tmp_path: Path) -> None:
    here = start.copy(tmp_path)
    here.declare(ILL, driver="swarm")
    down: list[object] = []

    def wrap(name: str, port: object) -> object:
        if name == "driver":
            down.append(port)
        # The world makes one driver after the other, in the order of `drivers`.
        broken = name == "driver" and list(here.drivers)[(len(down) - 1) % 2] == "swarm"
        return CallRecorder(lambda call, _: _refuse(call))(name, port) if broken else port

    here.wrap = wrap
    done = here.run()
    others_are_served(done)
    assert next(row.result for row in done.report.rows if row.recipe == ILL) is Result.INFRASTRUCTURE
    assert any("swarm driver" in note for note in done.report.notes)


def _refuse(call: Call) -> object:
    raise InfrastructureError(f"{call.method}: nobody answers")


# ---- on the real file system ----


def left_by_a_dead_pass(here: World) -> Path:
    """The slot of a trial of the ill recipe, with its lock."""
    slot = here.state.slot(ILL)
    slot.mkdir(parents=True)
    (slot / "lock").touch()
    (slot / "install" / "ill" / "data").mkdir(parents=True)
    (slot / "install" / "ill" / "data" / "other").write_text("goes")
    return slot / "install" / "ill" / "data"


@pytest.mark.needs("root", "chattr")
def test_a_file_that_nobody_can_delete_stops_one_recipe_and_is_named_with_its_whole_path(
    start: World, tmp_path: Path
) -> None:
    here = start.copy(tmp_path)
    data = left_by_a_dead_pass(here)
    old = here.state.canonical("well", 1)
    told = ""
    with undeletable_file(data / "stays"), undeletable_file(old / "snapshot.tar.zst"):
        for version in (NEW, "3.0.0"):
            for name in WELL:
                here.tag(name, version)
            done = here.run()
            others_are_served(done)
            report = done.report
            told = "\n".join(
                [*report.notes, *(f"{row.recipe}: {each}" for row in report.rows for each in notes_of(row))]
            )
            assert f"{ILL}: what a dead run left cannot be removed now: Operation not permitted ({data}/stays)" in told
            assert done.report.exit_code == 1
            ill = next(row.outcome for row in done.report.rows if row.recipe == ILL)
            assert ill is not None
            assert f"({data}/stays)" in ill.reason
        assert "well: its older snapshots cannot be removed now: " in told
        assert f"{old}/snapshot.tar.zst" in told
        assert not (data / "other").exists()
    assert here.run().report.exit_code == 0
    assert here.records().canonicals[ILL].version == NEW
    assert not old.exists()


@pytest.mark.needs("root")
def test_a_file_system_mounted_in_a_slot_is_named_and_never_deleted(start: World, tmp_path: Path) -> None:
    here = start.copy(tmp_path / "world")
    data, mine = left_by_a_dead_pass(here), tmp_path / "mine"
    mine.mkdir()
    (mine / "diary").write_text("dear diary")
    with mounted_folder(data / "a folder", mine):
        done = here.run()
        others_are_served(done)
        assert any(f"({data}/a folder); something is mounted there: umount it" in note for note in done.report.notes)
    assert (mine / "diary").read_text() == "dear diary"
    assert here.run().report.exit_code == 0


def test_logs_that_cannot_be_written_are_that_recipes_trouble(start: World, tmp_path: Path) -> None:
    here = start.copy(tmp_path)
    logs = here.state.trial_logs(ILL)
    shutil.rmtree(logs, ignore_errors=True)
    logs.write_text("no folder")
    here.wrap = failing("driver.deploy", FAULTS["bug"])
    done = here.run()
    others_are_served(done)
    assert str(logs) in str([row.outcome for row in done.report.rows if row.recipe == ILL])


@pytest.mark.parametrize("table", ["canonical", "memory"])
def test_a_row_changed_by_another_program_leaves_its_recipe_unknown_and_unchanged(
    start: World, tmp_path: Path, table: str
) -> None:
    here = start.copy(tmp_path)
    before = snapshot_contents(here.state, here.records().canonicals[ILL])
    with closing(sqlite3.connect(here.state.database)) as connection:
        connection.execute("DROP TRIGGER canonical_is_never_rewritten")
        connection.execute(f"UPDATE {table} SET digest = 'x' WHERE recipe = '{ILL}'")  # noqa: S608  names of ours
        connection.commit()
    have = start.records().canonicals[ILL]
    notes: tuple[str, ...] = ()
    for version in (NEW, "3.0.0"):
        for name in WELL:
            here.tag(name, version)
        done = here.run()
        notes = done.report.notes
        others_are_served(done)
        ill = next(row for row in done.report.rows if row.recipe == ILL)
        assert ill.finding.status.state is State.UNKNOWN
        assert f"its record cannot be read: {table} of 'ill' was changed" in ill.step.reason
        assert done.report.exit_code == 1
    assert not [note for note in notes if f"canonicals/{ILL}" in note]
    assert snapshot_contents(here.state, have) == before


def test_a_release_whose_data_cannot_be_sealed_is_red_and_the_unsealed_copy_is_deleted(
    start: World, tmp_path: Path
) -> None:
    here = start.copy(tmp_path)
    there: list[bool] = []

    def answer(call: Call, honest: CarryOut) -> object:
        if call.name == "snapshots.seal" and concerns(call.args[0], ILL):
            raise UnfitDataError("'data/private' cannot be read by the user that runs Canon")
        if call.name == "driver.clear" and concerns(call.args[0], ILL):
            there.append(any(here.root.glob(f"**/{ILL}/saving")))
        return honest()

    here.wrap = CallRecorder(answer)
    done = here.run()
    others_are_served(done)
    ill = next(row for row in done.report.rows if row.recipe == ILL)
    unfit = "its data cannot be saved: 'data/private' cannot be read by the user that runs Canon"
    assert (ill.result, unfit in str(ill.outcome and ill.outcome.reason)) == (Result.RED, True)
    assert there
    assert not there[-1]
