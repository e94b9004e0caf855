"""What a pass makes of a state folder in which something lies that it did not leave there."""

from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve

from reconciler.core.outcome import Result
from reconciler.deploy.slot_lock import lock_slot
from reconciler.errors import InfrastructureError
from reconciler.host.processes.process_driver import ProcessDriver
from reconciler.ports.app import DeployOptions, RemovalResult
from reconciler.ports.driver import Driver
from reconciler.ports.host import Host
from reconciler.stages.recover import MOST_NAMED_PATHS, recover
from state.folder.folder import DRIVERS
from state.folder.lock import hold
from state.records import Intent
from tests.world import World
from tests.world_driver import WorldDriver


@pytest.fixture
def world(tmp_path: Path) -> World:
    """One recipe with a canonical."""
    return World.promoted(tmp_path, "notes")


def dead_slot(world: World, name: str) -> Path:
    """A slot with something in it, as its dead owner left it."""
    slot = world.state.make_slot(name)
    with hold(world.state.slot_lock(name), "a run that died"):
        (slot / "install").mkdir()
    return slot


def test_a_slot_of_a_dead_run_is_removed_and_said(world: World) -> None:
    for name in ("notes", "no-longer-declared"):
        dead_slot(world, name)
    assert world.run().report.notes == (
        "no-longer-declared: a slot left by a dead run was removed",
        "notes: a slot left by a dead run was removed",
    )
    assert list(world.state.work.iterdir()) == []


def test_a_slot_of_a_dead_run_that_cannot_be_removed_is_reported_and_its_recipe_is_not_tried(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.tag("notes", "1.1.0")
    mark = str(world.state.make_slot("notes") / "install")
    for name, tells in {"leftovers": (mark,), "clear": RemovalResult(remaining=("volume notes_data",))}.items():
        monkeypatch.setattr(WorldDriver, name, lambda *_, tells=tells: tells)
    report = world.run().report
    why = "what a dead run left in its slot cannot be removed: volume notes_data"
    assert report.notes == (f"notes: what a dead run left cannot be removed now: {why}",)
    row = next(row for row in report.rows if row.recipe == "notes")
    assert row.result is Result.INFRASTRUCTURE


class Unreachable(WorldDriver):
    """A driver whose engine is down."""

    def leftovers(self, root: Path) -> tuple[str, ...]:
        raise InfrastructureError(f"the engine does not answer for {root}")


def left_by_another_driver(world: World, *, noted: bool) -> Path:
    """A dead run's slot in which an app of a Swarm runs; its recipe is one of processes since."""
    world.declare("notes", driver="swarm")
    slot = dead_slot(world, "notes") / "install"
    if noted:
        (slot / DRIVERS).mkdir()
        (slot / DRIVERS / "swarm").touch()
    world.running[slot / "notes"] = (str(slot), DeployOptions("1.0.0", "c" * 40))
    world.declare("notes")
    return slot


def with_drivers(world: World, swarm: Driver) -> Host:
    return evolve(world.host(), drivers={"process": ProcessDriver({"PATH": "/usr/bin:/bin"}), "swarm": swarm})


@pytest.mark.parametrize("noted", [True, False])
def test_a_dead_runs_deployment_by_an_earlier_driver_is_removed(world: World, *, noted: bool) -> None:
    left_by_another_driver(world, noted=noted)
    assert recover(with_drivers(world, WorldDriver(world)), world.fleet) == (
        "notes: a slot left by a dead run was removed",
    )
    assert world.running == {}
    assert list(world.state.work.iterdir()) == []


def test_a_slot_stays_with_a_note_if_its_earlier_driver_does_not_answer(world: World) -> None:
    slot = left_by_another_driver(world, noted=True)
    host = with_drivers(world, Unreachable(world))
    remarks = "\n".join(recover(host, world.fleet))
    assert "notes: what a dead run left cannot be removed now: the engine does not answer for" in remarks
    with (
        pytest.raises(InfrastructureError, match="deployed in its slot with the swarm driver"),
        lock_slot(host.with_drivers({"process"}), "notes", "trial"),
    ):
        raise AssertionError("there is something in its slot")
    assert (slot / DRIVERS / "swarm").exists()
    assert [mark for mark, _ in world.running.values()] == [str(slot)]


def file(path: Path) -> None:
    path.write_text("precious")


def folder(path: Path) -> None:
    path.mkdir()
    file(path / "of somebody")


@pytest.mark.parametrize(
    ("where", "make"),
    [
        ("work/notes.txt", file),
        ("work/mail", file),
        ("work/mail-of-mine", folder),
        ("work/My Notes", folder),
        ("kept/mail", folder),
        ("kept/mail.json", file),
        ("kept/notes.txt", file),
        ("work/.hidden", folder),
    ],
)
def test_files_that_no_pass_made_are_left_and_named(world: World, where: str, make: Callable[[Path], None]) -> None:
    stray = world.state.root / where
    make(stray)
    for _ in range(2):
        assert world.run().report.notes == (
            f"no record mentions {stray}: left as it is; move it away, or remove it if nobody needs it",
        )
        assert "precious" in (stray if stray.is_file() else stray / "of somebody").read_text()


@pytest.mark.parametrize(
    ("where", "make"),
    [
        ("zzz", file),
        ("zzz", folder),
        ("notes/9", folder),
        ("notes/old", file),
        ("notes/01", folder),
        ("notes/1.bak", folder),
        ("notes/1/mine.txt", file),
    ],
)
def test_an_unrecorded_snapshot_is_left_and_the_hint_loses_nothing(
    world: World, where: str, make: Callable[[Path], None]
) -> None:
    stray = world.state.canonicals / where
    make(stray)
    ways_out = "left as it is; if an older canon.db was put back, bring the newer one back; otherwise move it away"
    for version in ("1.1.0", "1.2.0", "1.3.0"):
        world.tag("notes", version)
        report = world.run().report
        assert [row.result for row in report.rows] == [Result.PROMOTED]
        assert report.notes == (f"no record mentions {stray}: {ways_out}",) or where == "notes/1/mine.txt"
        assert "precious" in (stray if stray.is_file() else stray / "of somebody").read_text()


def test_a_foreign_folder_in_place_of_a_slot_is_kept_and_not_used(world: World) -> None:
    mine = world.state.make_slot("notes") / "mine.txt"
    file(mine)
    world.tag("notes", "1.1.0")
    for _ in range(2):
        report = world.run().report
        [row] = report.rows
        assert row.outcome is not None
        assert (row.result, mine.read_text()) == (Result.INFRASTRUCTURE, "precious")
        assert row.outcome.reason == f"{mine.parent} holds mine.txt, which Canon did not make; move that folder away"
        assert [note for note in report.notes if str(mine.parent) in note] == list(report.notes)
        assert list(mine.parent.iterdir()) == [mine]
    mine.parent.rename(world.root / "away")
    assert [row.result for row in world.run().report.rows] == [Result.PROMOTED]


def test_a_slot_that_lost_its_lock_is_known_by_the_promotion_that_was_begun_in_it(world: World) -> None:
    begun = Intent("pass-9:notes:1.1.0", "notes", "1.1.0", "c" * 40, 2, world.now)
    world.host().registry.begin(begun, [])
    (world.state.make_slot("notes") / "candidate").mkdir()
    assert "notes: a slot left by a dead run was removed" in world.run().report.notes
    assert list(world.state.work.iterdir()) == []


def test_a_folder_that_a_dead_run_only_made_is_removed_without_a_note(world: World) -> None:
    world.state.make_slot("mail")
    assert world.run().report.notes == ()
    assert list(world.state.work.iterdir()) == []


def test_many_strays_are_one_note_that_counts_them(world: World) -> None:
    for number in range(MOST_NAMED_PATHS + 3):
        file(world.state.work / f"{number}.txt")
    (note,) = world.run().report.notes
    assert note.count(".txt") == MOST_NAMED_PATHS
    assert "and 3 more: " in note


def test_a_link_in_place_of_a_slot_is_named_and_what_it_leads_to_is_not_touched(world: World, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    file(tmp_path / "elsewhere" / "kept")
    world.state.slot("notes").symlink_to(tmp_path / "elsewhere")
    world.tag("notes", "1.1.0")

    done = world.run()

    assert [row.result for row in done.report.rows] == [Result.INFRASTRUCTURE]
    assert f"no record mentions {world.state.slot('notes')}: " in done.report.notes[0]
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == ["kept"]
    world.state.slot("notes").unlink()
    assert [row.result for row in world.run().report.rows] == [Result.PROMOTED]


def test_an_empty_folder_among_the_snapshots_is_removed_without_a_word(world: World) -> None:
    world.state.generations("undone").mkdir()
    assert world.run().report.notes == ()
    assert [path.name for path in world.state.canonicals.iterdir()] == ["notes"]


def test_snapshots_of_an_orphan_are_no_strays(world: World) -> None:
    world.recipes.clear()
    world.declare("mail")
    world.tag("mail", "1.0.0")
    assert world.run().report.notes == ()
