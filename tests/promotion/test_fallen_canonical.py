"""What falls of a canonical that is kept running: named by a look, mended by the next pass."""

import json
from collections.abc import Callable

import pytest
from attrs import evolve

from desired.model import Install
from reconciler.core.observation import State
from reconciler.core.outcome import Result
from reconciler.core.plan import Action, HeldBack
from reconciler.ports.commands import CommandResult
from reconciler.stages.loop import Pass
from tests.folders import entries_below
from tests.port_calls import Call, CallRecorder, CarryOut
from tests.promotion.falls import FALLS, unwell
from tests.promotion.kept_world import app, declare_again, deployment_record_of, kept_versions, row_of, stop_app
from tests.world import Behaviour, World


@pytest.mark.parametrize("fall", FALLS)
def test_each_fault_of_a_kept_deployment_is_named_without_writing_and_repaired_by_the_next_pass(
    world: World, fall: str
) -> None:
    fell, why, dated = FALLS[fall]
    up_at, tried = deployment_record_of(world).up_at, world.records().memories["notes"].last_trial
    fell(world)
    before = entries_below(world.state.root)

    report = world.look()

    (row,) = report.rows
    look = row.finding.status
    where = {"commit": world.origins["notes"].tags["1.0.0"], "account": world.state.deployment_record_path("notes")}
    assert (report.exit_code, look.state, look.reason) == (3, State.DOWN, why.format(**where))
    assert look.last_up == (up_at if dated else None)
    assert (row.step.action, row.step.release) == (Action.REDEPLOY, None)
    assert entries_below(world.state.root) == before
    world.lacks = ""

    done = world.run() if fell is not unwell else run_down(world)

    assert (row_of(done).result, row_of(done).finding.status.state) == (Result.REPAIRED, State.INTACT)
    assert done.report.exit_code == 0
    assert kept_versions(world) == {"notes/notes": "1.0.0"}
    assert json.loads((app(world) / "data" / "data.json").read_text())["mark"]
    assert world.records().memories["notes"].last_trial == tried
    assert (world.look().exit_code, row_of(world.run()).result) == (0, Result.NONE)


def run_down(world: World) -> Pass:
    """A pass that finds it unwell until it was raised anew."""
    world.lacks = "notes has 0 of 1 up"

    def heal(call: Call, honest: CarryOut) -> object:
        if call.name == "driver.deploy":
            world.lacks = ""
        return honest()

    world.wrap = CallRecorder(heal)
    return world.run()


def test_a_deployment_that_is_down_and_a_new_release_are_both_settled_by_one_trial(world: World) -> None:
    stop_app(world)
    world.tag("notes", "1.1.0")
    (row,) = world.look().rows
    assert (row.step.action, world.look().exit_code) == (Action.PROMOTE, 3)
    assert "its deployment is down (app notes is gone) and is raised afterwards" in row.step.reason

    done = world.run()

    assert (row_of(done).result, done.report.exit_code) == (Result.PROMOTED, 0)
    assert world.lived("notes") == ("1.0.0", "1.1.0")
    assert kept_versions(world) == {"notes/notes": "1.1.0"}


def hold_by_a_red(world: World) -> None:
    world.tag("notes", "1.1.0", Behaviour(breaks_lived=True))
    world.run()


def hold_by_a_move(world: World) -> None:
    world.tag("notes", "1.0.0")


def hide_upstream(world: World) -> None:
    world.origins["notes"].down = "connection refused"


@pytest.mark.parametrize(
    ("hold", "held_back", "needs_person", "code"),
    [
        (hold_by_a_red, HeldBack.RED_BEFORE, True, 4),
        (hold_by_a_move, HeldBack.QUARANTINED, True, 4),
        (hide_upstream, None, False, 1),
    ],
)
def test_the_reason_that_holds_a_recipe_back_is_still_reported_when_its_deployment_is_redeployed(
    world: World, hold: Callable[[World], None], held_back: HeldBack | None, code: int, *, needs_person: bool
) -> None:
    hold(world)
    stop_app(world)
    (row,) = world.look().rows
    assert (row.step.action, row.step.release) == (Action.REDEPLOY, None)
    assert (row.step.held_back, row.step.needs_person) == (held_back, needs_person)
    before = len(world.deployed)

    done = world.run()

    assert row_of(done).result is Result.REPAIRED
    step = row_of(done).step
    assert (step.action, step.held_back, step.needs_person) == (Action.NONE, held_back, needs_person)
    assert done.report.exit_code == code
    assert kept_versions(world) == {"notes/notes": "1.0.0"}
    assert [version for _, version, _ in world.deployed[before:]] == ["1.0.0"]


def test_one_pass_fetches_a_missing_mirror_and_deploys_what_is_down(world: World) -> None:
    stop_app(world)
    del world.mirrors["notes"]
    (row,) = world.look().rows
    assert "the mirror is missing" in row.step.reason
    assert "app notes is gone" in row.step.reason
    assert row_of(world.run()).result is Result.REPAIRED
    assert world.look().exit_code == 0


# ---- what cannot be seen, or does not come up ----


def test_a_driver_that_cannot_be_asked_leaves_it_unknown_and_never_in_sync(world: World) -> None:
    world.unasked = "Docker does not answer"
    report = world.look()
    look = report.rows[0].finding.status
    assert (report.exit_code, look.state) == (1, State.UNKNOWN)
    assert look.reason == "its deployment cannot be observed: Docker does not answer"
    before = list(world.deployed)

    done = world.run()

    assert (row_of(done).result, done.report.exit_code, world.deployed) == (Result.NONE, 1, before)
    assert kept_versions(world) == {"notes/notes": "1.0.0"}
    world.unasked = ""
    assert world.look().exit_code == 0


def test_an_account_that_cannot_be_looked_at_leaves_it_unknown(world: World) -> None:
    world.state.deployment_record_path("notes").unlink()
    world.state.deployment_record_path("notes").mkdir()
    report = world.look()
    assert (report.exit_code, report.rows[0].finding.status.state) == (1, State.UNKNOWN)


def test_a_deployment_that_cannot_be_redeployed_stays_down_with_the_reason_and_is_no_damage(world: World) -> None:
    up_at = deployment_record_of(world).up_at
    stop_app(world)
    world.behaviours[world.origins["notes"].tags["1.0.0"]] = Behaviour(starts=False)

    done = world.run()

    row = row_of(done)
    assert (row.result, done.report.exit_code) == (Result.INFRASTRUCTURE, 1)
    assert (row.finding.status.state, row.finding.status.last_up) == (State.DOWN, up_at)
    assert row.finding.status.reason.startswith("it could not be deployed: notes 1.0.0 is not ready")
    assert not world.state.kept_slot("notes").exists()
    assert world.look().exit_code == 3
    world.behaviours[world.origins["notes"].tags["1.0.0"]] = Behaviour()
    assert row_of(world.run()).result is Result.REPAIRED


def test_a_deployment_whose_data_check_fails_is_removed(world: World) -> None:
    stop_app(world)
    world.wrap = CallRecorder(fail_check)

    done = world.run()

    assert row_of(done).result is Result.INFRASTRUCTURE
    assert row_of(done).finding.status.reason == "it could not be deployed: data.check exited 1: it is empty"
    assert kept_versions(world) == {}


def fail_check(call: Call, honest: CarryOut) -> object:
    return CommandResult(1, "it is empty") if call.name == "commands.run" else honest()


def test_a_need_that_was_declared_after_the_promotion_is_deployed_with_fresh_data(world: World) -> None:
    world.declare("login", driver="swarm")
    declare_again(world, evolve(world.recipes["notes"], install=Install(needs=("login",))))
    stop_app(world)
    done = world.run()
    said = "it could not be deployed: notes now needs login, which is not in its canonical's snapshot"
    assert row_of(done).finding.status.reason == said
    world.tag("login", "1.0.0")

    assert world.run().report.exit_code == 0

    assert kept_versions(world) == {"notes/login": "1.0.0", "notes/notes": "1.0.0"}
    assert json.loads((app(world, part="login") / "data" / "data.json").read_text())["lived"] == ["1.0.0"]


def test_damage_that_shows_in_raising_is_remembered_and_the_next_pass_tests_afresh(world: World) -> None:
    stop_app(world)
    have = world.records().canonicals["notes"]
    with (world.state.canonical("notes", have.generation) / "snapshot.tar.zst").open("r+b") as tar:
        tar.write(b"rot")
    world.wrap = CallRecorder(lambda call, honest: None if call.name == "snapshots.find_damage" else honest())

    done = world.run()

    world.wrap = lambda _, port: port

    assert (row_of(done).result, row_of(done).finding.status.state) == (Result.INFRASTRUCTURE, State.DAMAGED)
    assert done.report.exit_code == 1
    again = world.run()
    assert (row_of(again).result, again.report.exit_code) == (Result.REPAIRED, 0)
    assert (deployment_record_of(world).generation, kept_versions(world)) == (2, {"notes/notes": "1.0.0"})
