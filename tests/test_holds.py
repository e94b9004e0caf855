"""Passes over recipes on hold: set before, during and after a pass, and ended by its day."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from attrs import evolve

from reconciler.core.outcome import Result
from reconciler.core.plan import HeldBack
from reconciler.core.report import Row
from reconciler.ports.commands import RecipeCommand
from reconciler.stages.loop import Pass
from state.decisions import Hold
from state.registry.registry import SqliteRegistry
from tests.ledger_lines import ledger_lines
from tests.port_calls import Call, CallRecorder, CarryOut, KillPoint, killed_pass
from tests.state_checks import leftovers
from tests.world import START, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Two recipes with canonicals at 1.0.0, and 1.1.0 published."""
    world = World.promoted(tmp_path, "notes", "wiki")
    for name in ("notes", "wiki"):
        world.tag(name, "1.1.0")
    return world


def registry(world: World) -> SqliteRegistry:
    return SqliteRegistry(world.state.database)


def put_on_hold(world: World, name: str, until: date | None = None) -> Hold:
    hold = Hold(name, "the fair", "maria", START, until)
    registry(world).set_hold(hold, [])
    return hold


def rows(done: Pass) -> dict[str, Row]:
    return {row.recipe: row for row in done.report.rows}


def versions(world: World) -> dict[str, str]:
    return {name: have.version for name, have in world.records().canonicals.items()}


def holds_at(world: World, name: str, is_time: Callable[[Call], bool]) -> CallRecorder:
    """Put a recipe on hold at the first call for which `is_time` is true."""

    def answer(call: Call, honest: CarryOut) -> object:
        if is_time(call) and name not in registry(world).read().holds:
            put_on_hold(world, name)
        return honest()

    return CallRecorder(answer)


def is_custom_test_of(name: str, call: Call) -> bool:
    command = call.args[0] if call.name == "commands.run" else None
    return isinstance(command, RecipeCommand) and command.argv == ("custom",) and command.env["RECIPE"] == name


def test_a_recipe_on_hold_is_not_tried_and_its_mirror_is_fetched(world: World) -> None:
    put_on_hold(world, "notes")
    done = rows(world.run(retry=["notes"]))
    assert (done["notes"].result, done["notes"].step.held_back) == (Result.NONE, HeldBack.HELD)
    assert done["wiki"].result is Result.PROMOTED
    assert versions(world) == {"notes": "1.0.0", "wiki": "1.1.0"}
    assert ("notes", "1.1.0") not in {(name, version) for name, version, _ in world.deployed}
    assert "1.1.0" in world.mirrors["notes"].tags
    assert "1.1.0" in world.records().memories["notes"].known
    assert world.look().exit_code == 0
    assert world.look().line.startswith("2 enrolled, 2 decided: 1 in sync, 0 to promote, 0 damaged, 1 held, ")


def test_a_hold_set_while_another_recipe_is_tried_keeps_its_recipe_from_being_tried(world: World) -> None:
    world.wrap = holds_at(world, "wiki", lambda call: is_custom_test_of("notes", call))
    done = world.run()
    assert (rows(done)["notes"].result, rows(done)["wiki"].result) == (Result.PROMOTED, Result.NOT_TRIED)
    assert versions(world) == {"notes": "1.1.0", "wiki": "1.0.0"}
    assert done.report.exit_code == 0


def test_a_hold_set_while_its_own_release_is_tried_keeps_that_from_being_promoted(world: World) -> None:
    before = world.records().canonicals["notes"]
    world.wrap = holds_at(world, "notes", lambda call: is_custom_test_of("notes", call))
    row = rows(world.run("notes"))["notes"]
    assert row.result is Result.GREEN_NOT_PROMOTED
    assert row.outcome is not None
    assert "unheld: on hold by maria" in row.outcome.reason
    assert (world.records().canonicals["notes"], world.records().intents) == (before, ())
    assert leftovers(world.state, world.running) == []
    world.wrap = lambda _, port: port
    registry(world).end_decisions([*world.records().holds.values()], [])
    assert rows(world.run("notes"))["notes"].result is Result.PROMOTED


def test_a_hold_ends_on_its_day_and_one_pass_says_so_and_goes_on(world: World) -> None:
    put_on_hold(world, "notes", world.now.date() + timedelta(days=2))
    world.run()
    assert (versions(world)["notes"], [*world.records().holds]) == ("1.0.0", ["notes"])
    world.now += timedelta(days=2)
    [row, _] = world.look().rows
    assert row.step.reason.startswith(f"its hold by maria ended on {world.now.date()} (the fair); 1.1.0 was released")

    done = world.run()

    assert rows(done)["notes"].result is Result.PROMOTED
    assert done.report.notes == (
        f"notes: its hold by maria ended on {world.now.date()} (the fair); its releases are tried again",
    )
    assert (world.records().holds, world.run().report.notes) == ({}, ())
    assert [line.entry.recipe for line in ledger_lines(registry(world), kind="hold-ended")] == ["notes"]


def test_the_hold_of_a_recipe_that_is_not_enrolled_ends_and_no_note_says_that_it_is_tried(world: World) -> None:
    put_on_hold(world, "notes", world.now.date())
    world.recipes["notes"] = evolve(world.recipes["notes"], enrolled=False, exception="not now")
    [note] = world.run().report.notes
    assert note == f"notes: its hold by maria ended on {world.now.date()} (the fair); it is not enrolled (not now)"
    assert world.records().holds == {}


def test_a_pass_over_another_recipe_leaves_a_hold_that_has_ended_as_it_is(world: World) -> None:
    hold = put_on_hold(world, "notes", world.now.date())
    assert world.run("wiki").report.notes == ()
    assert world.records().holds == {"notes": hold}


@pytest.mark.parametrize("after", [False, True])
def test_a_pass_killed_while_it_ends_a_hold_is_followed_by_one_that_promotes(world: World, *, after: bool) -> None:
    put_on_hold(world, "notes", world.now.date())
    twin, world = (world.copy(world.root.parent / name) for name in ("twin", "killed"))
    twin.wrap = recorder = CallRecorder()
    twin.run()
    number = [call.name for call in recorder.calls].index("registry.end_decisions") + 1
    assert killed_pass(world, KillPoint(number, after=after))
    assert bool(world.records().holds) is not after
    assert world.run().report.exit_code == 0
    assert versions(world) == {"notes": "1.1.0", "wiki": "1.1.0"}
    assert len(ledger_lines(registry(world), kind="hold-ended")) == 1


def test_a_hold_that_cannot_be_deleted_has_no_effect_and_is_named(world: World) -> None:
    put_on_hold(world, "notes", world.now.date())

    def refuse(call: Call, honest: CarryOut) -> object:
        if call.name == "registry.end_decisions":
            raise OSError(28, "No space left on device")
        return honest()

    world.wrap = CallRecorder(refuse)
    done = world.run()
    assert rows(done)["notes"].result is Result.PROMOTED
    [note] = done.report.notes
    assert "this could not be recorded: No space left on device" in note
    world.wrap = lambda _, port: port
    assert world.run().report.exit_code == 0
    assert world.records().holds == {}


def test_a_recipe_on_hold_before_its_first_release_has_no_canonical_and_no_trial(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.declare("notes")
    world.tag("notes", "1.0.0")
    world.state.create()
    put_on_hold(world, "notes")
    done = world.run()
    assert (done.report.exit_code, world.deployed, versions(world)) == (0, [], {})
    registry(world).set_hold(evolve(put_on_hold(world, "notes"), until=world.now.date()), [])
    assert rows(world.run())["notes"].result is Result.PROMOTED
