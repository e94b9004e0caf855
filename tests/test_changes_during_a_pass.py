"""Files that change, apps that end and tools that fail during a pass cause no wrong label and no loss."""

from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from attrs import evolve

from desired.model import Install
from reconciler.core.observation import State
from reconciler.core.outcome import Result
from reconciler.errors import InfrastructureError, InterruptedPassError
from reconciler.ports.app import App, EndedPart, NotRunning, RunningApp
from reconciler.ports.commands import CommandResult, RecipeCommand
from reconciler.stages.loop import Pass
from tests.pass_results import all_notes, results
from tests.port_calls import Call, CallRecorder, CarryOut
from tests.world import Behaviour, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def with_a_canonical(world: World) -> World:
    """Declare `notes`, promote its 1.0.0 and publish 1.1.0."""
    world.declare("notes")
    world.tag("notes", "1.0.0")
    world.run()
    world.tag("notes", "1.1.0")
    return world


def pass_that_loses_nothing(world: World, answer: Callable[[Call, CarryOut], object]) -> Pass:
    """Run a pass with these answers: it blames the host, and the next pass promotes over the data of 1.0.0."""
    world.wrap = CallRecorder(answer)
    done = world.run()
    assert results(done) == {"notes": Result.INFRASTRUCTURE}
    assert [row.finding.status.state for row in done.report.rows] == [State.INTACT]
    assert undisturbed_results(world) == {"notes": Result.PROMOTED}
    assert world.lived("notes") == ("1.0.0", "1.1.0")
    return done


def create_file_before(world: World, path: Path, when: Callable[[RecipeCommand], bool]) -> None:
    """Create a file during the next pass, right before the commands for which `when` is true."""

    def answer(call: Call, honest: CarryOut) -> object:
        if call.name == "commands.run" and when(cast("RecipeCommand", call.args[0])):
            path.touch()
        return honest()

    world.wrap = CallRecorder(answer)


def undisturbed_results(world: World) -> dict[str, Result]:
    """Run an undisturbed pass and return its results."""
    world.wrap = lambda _, port: port
    return results(world.run())


# ---- the fleet's files ----


def test_tests_that_were_changed_before_their_trial_began_are_for_the_next_pass(world: World) -> None:
    broken = world.declare("b").folder / "broken"
    world.declare("a")
    world.tag("a", "1.0.0")
    world.tag("b", "1.0.0")
    create_file_before(world, broken, lambda command: command.env["RECIPE"] == "a")

    assert results(world.run()) == {"a": Result.PROMOTED, "b": Result.NOT_TRIED}
    assert {name for name, _, _ in world.deployed} == {"a"}

    broken.unlink()
    assert undisturbed_results(world) == {"a": Result.NONE, "b": Result.PROMOTED}


def test_a_red_by_tests_that_were_changed_during_the_trial_is_not_remembered(world: World) -> None:
    broken = with_a_canonical(world).recipes["notes"].folder / "broken"
    create_file_before(world, broken, lambda command: command.argv == ("mark",))

    assert results(world.run()) == {"notes": Result.RED}

    broken.unlink()
    assert undisturbed_results(world) == {"notes": Result.PROMOTED}


def test_tests_that_are_changed_during_the_promotion_prove_nothing(world: World) -> None:
    new = world.declare("notes").folder / "new"
    world.tag("notes", "1.0.0")
    create_file_before(world, new, lambda command: command.log.name == "promote.log")

    assert results(world.run()) == {"notes": Result.GREEN_NOT_PROMOTED}

    assert world.records().canonicals == {}
    assert undisturbed_results(world) == {"notes": Result.PROMOTED}


def test_tests_of_a_need_that_are_changed_during_the_trial_make_it_no_cold_one(world: World) -> None:
    new = world.declare("accounts").folder / "new"
    world.declare("notes", install=Install(needs=("accounts",)))
    world.tag("accounts", "1.0.0")
    world.tag("notes", "1.0.0")
    create_file_before(world, new, lambda command: command.env["RECIPE"] == "notes")

    assert results(world.run()) == {"accounts": Result.PROMOTED, "notes": Result.GREEN_NOT_PROMOTED}

    assert undisturbed_results(world) == {"accounts": Result.NONE, "notes": Result.PROMOTED}


# ---- the host ----


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
def test_a_check_that_is_killed_for_want_of_memory_is_no_red_and_no_damage(world: World, number: int) -> None:
    checks: list[Call] = []

    def answer(call: Call, honest: CarryOut) -> object:
        if call.name == "commands.run" and cast("RecipeCommand", call.args[0]).argv == ("check",):
            checks.append(call)
            return CommandResult(-9, out_of_memory=True) if len(checks) == number else honest()
        return honest()

    pass_that_loses_nothing(with_a_canonical(world), answer)


def test_a_test_that_failed_because_the_driver_does_not_answer_is_no_red(world: World) -> None:
    world.declare("notes")
    world.tag("notes", "1.0.0", Behaviour(passes_custom=False))
    failed: list[RecipeCommand] = []

    def answer(call: Call, honest: CarryOut) -> object:
        if call.name == "driver.status" and failed:
            raise InfrastructureError("Docker is down")
        if call.name == "commands.run" and cast("RecipeCommand", call.args[0]).argv == ("custom",):
            failed.append(cast("RecipeCommand", call.args[0]))
        return honest()

    world.wrap = CallRecorder(answer)
    done = world.run()

    assert results(done) == {"notes": Result.INFRASTRUCTURE}
    assert "Docker is down" in done.report.rows[0].outcome.reason if done.report.rows[0].outcome else False


def test_a_needed_app_that_ended_makes_no_red_of_the_recipe_that_needs_it(world: World) -> None:
    world.declare("accounts")
    world.declare("notes", install=Install(needs=("accounts",)))
    world.tag("accounts", "1.0.0")
    world.tag("notes", "1.0.0")
    raised: list[App] = []

    def answer(call: Call, honest: CarryOut) -> object:
        app = cast("App", call.args[0]) if call.args else None
        if call.name == "driver.deploy" and app and app.recipe == "notes":
            raised.append(app)
        if call.name == "driver.status" and app and app.recipe == "accounts" and raised:
            return NotRunning("web ended by SIGKILL")
        return honest()

    world.wrap = CallRecorder(answer)
    done = world.run()

    assert results(done) == {"accounts": Result.PROMOTED, "notes": Result.INFRASTRUCTURE}
    assert "notes needs accounts, which no longer runs: web ended by SIGKILL" in str(done.report.rows)
    assert undisturbed_results(world) == {"accounts": Result.NONE, "notes": Result.PROMOTED}


def test_a_mirror_that_could_not_be_read_has_lost_no_commit(world: World) -> None:
    def answer(call: Call, honest: CarryOut) -> object:
        if call.name == "mirrors.resolve":
            raise InfrastructureError("git rev-parse in notes.git: Input/output error")
        return honest()

    assert all_notes(pass_that_loses_nothing(with_a_canonical(world), answer)) == []


def test_a_restore_that_stops_the_app_and_then_fails_is_red_for_its_exit_code(world: World) -> None:
    world.declare("notes")
    world.tag("notes", "1.0.0")
    stopped = EndedPart("web was stopped from outside", is_host_fault=True, stopped=True)
    restored: list[Call] = []

    def answer(call: Call, honest: CarryOut) -> object:
        if call.name == "commands.run" and cast("RecipeCommand", call.args[0]).argv == ("restore",):
            restored.append(call)
            return CommandResult(1, "it could not be brought back")
        seen = honest()
        return evolve(seen, ended={"web": stopped}) if restored and isinstance(seen, RunningApp) else seen

    world.wrap = CallRecorder(answer)
    done = world.run()

    assert results(done) == {"notes": Result.RED}
    assert "backup.restore exited 1" in str(done.report.rows[0].outcome)


def test_a_signal_stops_the_pass_although_the_cleanup_fails(world: World) -> None:
    with_a_canonical(world)
    calls: list[Call] = []

    def answer(call: Call, honest: CarryOut) -> object:
        if call.name == "commands.run" and not calls:
            calls.append(call)
            raise InterruptedPassError(15)
        if call.name == "mirrors.alterations" and calls:
            raise InfrastructureError("git status: Input/output error")
        return honest()

    world.wrap = CallRecorder(answer)
    assert world.run().signal == 15

    assert undisturbed_results(world) == {"notes": Result.PROMOTED}


def test_a_check_that_was_changed_and_fails_on_the_old_data_is_no_damage(world: World) -> None:
    recipe = with_a_canonical(world).recipes["notes"]
    (recipe.folder / "check.py").write_text("asks for more\n")
    checks: list[Call] = []

    def answer(call: Call, honest: CarryOut) -> object:
        if call.name == "commands.run" and cast("RecipeCommand", call.args[0]).argv == ("check",):
            checks.append(call)
            if len(checks) == 3:
                return CommandResult(1, "more is lacking")
        return honest()

    done = pass_that_loses_nothing(world, answer)

    assert "changed since it was promoted" in str(done.report.rows[0].outcome)
