"""When a canonical that is kept running is raised, and when it is undeployed."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve

from desired.model import CanonicalPolicy, Install, Keep
from reconciler.core.observation import State
from reconciler.core.outcome import Result
from reconciler.ports.app import RemovalResult
from state.folder.durable import remove_tree
from tests.port_calls import Call, CallRecorder, CarryOut
from tests.promotion.kept_world import KEPT, REST, app, declare_again, deployment_record_of, kept_versions, row_of
from tests.state_checks import leftovers
from tests.world import Behaviour, World

# ---- raised ----


def test_a_canonical_is_raised_after_its_promotion_and_then_left_alone(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.declare("notes", **KEPT)
    world.tag("notes", "1.0.0")

    done = world.run()

    assert (row_of(done).result, row_of(done).finding.status.state) == (Result.PROMOTED, State.INTACT)
    assert done.report.exit_code == 0
    assert kept_versions(world) == {"notes/notes": "1.0.0"}
    assert deployment_record_of(world).generation == 1
    data = json.loads((app(world) / "data" / "data.json").read_text())
    assert (data["lived"], data["mark"]) == (["1.0.0"], True)
    before, up_at = list(world.deployed), deployment_record_of(world).up_at
    again = world.run()
    assert (row_of(again).result, again.report.exit_code, again.report.notes) == (Result.NONE, 0, ())
    assert world.deployed == before
    assert up_at is not None
    assert deployment_record_of(world).up_at > up_at  # type: ignore[operator]  # written anew by that pass


def test_a_canonical_that_was_not_kept_until_now_is_down_and_deployed_without_a_trial(world: World) -> None:
    declare_again(world, evolve(world.recipes["notes"], canonical=REST))
    world.run()
    assert kept_versions(world) == {}
    declare_again(world, evolve(world.recipes["notes"], canonical=CanonicalPolicy(keep=Keep.RUNNING)))

    assert world.look().exit_code == 3

    (row,) = world.run().report.rows
    assert (row.result, row.finding.status.state) == (Result.REPAIRED, State.INTACT)
    assert kept_versions(world) == {"notes/notes": "1.0.0"}


def test_a_newer_green_release_is_running_after_its_promotion(world: World) -> None:
    world.tag("notes", "1.1.0")

    done = world.run()

    assert (row_of(done).result, done.report.exit_code) == (Result.PROMOTED, 0)
    assert kept_versions(world) == {"notes/notes": "1.1.0"}
    assert deployment_record_of(world).generation == 2
    assert json.loads((app(world) / "data" / "data.json").read_text())["lived"] == ["1.0.0", "1.1.0"]


def test_a_red_release_leaves_the_canonical_up_again(world: World) -> None:
    world.tag("notes", "1.1.0", Behaviour(breaks_lived=True))

    done = world.run()

    assert (row_of(done).result, row_of(done).finding.status.state) == (Result.RED, State.INTACT)
    assert kept_versions(world) == {"notes/notes": "1.0.0"}
    assert world.run().report.exit_code == 4


def test_a_kept_deployment_is_gone_during_its_recipes_trial_and_status_says_so(world: World) -> None:
    seen: list[tuple[dict[str, str], str]] = []

    def peep(call: Call, honest: CarryOut) -> object:
        if call.name == "commands.run" and call.args[0].argv == ("custom",):  # type: ignore[attr-defined]  # a Command
            (row,) = evolve(world, wrap=lambda _, port: port).look().rows
            seen.append((kept_versions(world), row.finding.status.reason))
        return honest()

    world.tag("notes", "1.1.0")
    world.wrap = CallRecorder(peep)
    world.run()
    ((stood, said),) = seen
    assert stood == {}
    assert said == "it was undeployed for a trial of notes"


def test_kept_deployments_that_share_an_app_with_a_trial_are_undeployed_and_deployed_again(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.declare("login", **KEPT)
    world.declare("notes", install=Install(needs=("login",)), **KEPT)
    world.declare("other", **KEPT)
    for name in ("login", "notes", "other"):
        world.tag(name, "1.0.0")
    assert world.run().report.exit_code == 0
    whole = {"login/login": "1.0.0", "notes/login": "1.0.0", "notes/notes": "1.0.0", "other/other": "1.0.0"}
    assert kept_versions(world) == whole
    before = len(world.deployed)
    up: list[set[str]] = []

    def peep(call: Call, honest: CarryOut) -> object:
        if call.name == "commands.run" and call.args[0].argv == ("custom",):  # type: ignore[attr-defined]  # a Command
            up.append(set(kept_versions(world)))
        return honest()

    world.tag("login", "1.1.0")
    world.wrap = CallRecorder(peep)
    done = world.run()
    assert up == [{"other/other"}]
    assert done.report.exit_code == 0
    assert kept_versions(world) == {**whole, "login/login": "1.1.0"}
    assert "other" not in {name for name, _, _ in world.deployed[before:]}


# ---- no longer wanted ----


def rest(world: World) -> None:
    declare_again(world, evolve(world.recipes["notes"], canonical=REST))


def except_it(world: World) -> None:
    declare_again(world, evolve(world.recipes["notes"], enrolled=False, exception="why"))


def undeclare(world: World) -> None:
    del world.recipes["notes"]


@pytest.mark.parametrize("give_up", [rest, except_it, undeclare])
def test_a_deployment_that_is_no_longer_kept_is_undeployed_and_its_canonical_stays(
    world: World, give_up: Callable[[World], None]
) -> None:
    world.declare("other", driver="swarm")
    world.tag("other", "1.0.0")
    have = world.records().canonicals["notes"]
    give_up(world)

    done = world.run()

    assert done.report.notes == ("notes: is not to be kept running, and was undeployed",)
    assert kept_versions(world) == {}
    assert list(world.state.kept.iterdir()) == []
    assert world.records().canonicals["notes"] == have
    assert world.rises(have)
    assert world.run().report.notes == ()
    assert leftovers(world.state, world.running) == []


def test_a_deployment_whose_folder_is_gone_is_undeployed_as_well(world: World) -> None:
    world.state.deployment_record_path("notes").unlink()
    remove_tree(world.state.kept_slot("notes"))
    rest(world)
    world.run()
    assert kept_versions(world) == {}


def test_a_failed_removal_is_reported_and_tried_again(world: World) -> None:
    rest(world)
    world.wrap = CallRecorder(
        lambda call, honest: RemovalResult((), ("its volume",)) if call.name == "driver.clear" else honest()
    )
    (note,) = world.run().report.notes
    assert note.endswith("cannot be undeployed now: notes: its volume of its kept deployment could not be removed")
    world.wrap = lambda _, port: port
    assert world.run().report.notes == ("notes: is not to be kept running, and was undeployed",)


def test_foreign_files_beside_kept_deployments_are_kept_and_named(world: World) -> None:
    (world.state.kept / "My Notes").mkdir()
    (world.state.kept / "precious.txt").touch()
    (note,) = world.run().report.notes
    assert f"{world.state.kept}/My Notes, {world.state.kept}/precious.txt" in note
    assert (world.state.kept / "precious.txt").exists()
