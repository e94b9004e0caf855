from datetime import timedelta
from pathlib import Path

import pytest

from desired.model import Install, Stop
from reconciler.core.outcome import Result
from reconciler.ports.app import App
from tests.pass_results import reasons, results
from tests.port_calls import CallRecorder
from tests.world import Behaviour, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.mark.parametrize("behaviour", [Behaviour(dies=True), Behaviour(dies_lived=True)])
def test_a_release_that_ends_by_itself_after_it_was_ready_is_red_and_its_canonical_stays(
    world: World, behaviour: Behaviour
) -> None:
    world.declare("notes")
    world.tag("notes", "1.0.0")
    world.run()
    before = world.records().canonicals
    world.tag("notes", "1.1.0", behaviour)

    done = world.run()

    (row,) = done.report.rows
    assert (row.result, row.outcome.reason if row.outcome else "") == (
        Result.RED,
        "1.1.0: upgrade failed: notes 1.1.0 was ready and did not stay up: web ended with exit code 3",
    )
    assert world.records().canonicals == before
    assert not world.running


def test_a_first_release_that_ends_by_itself_after_it_was_ready_is_red(world: World) -> None:
    world.declare("notes")
    world.tag("notes", "1.0.0", Behaviour(dies=True))
    assert results(world.run()) == {"notes": Result.RED}
    assert world.records().canonicals == {}


def test_a_fresh_install_is_watched_when_the_base_does_not_come_up(world: World) -> None:
    world.declare("notes")
    world.tag("notes", "1.0.0", Behaviour(starts=False))
    world.tag("notes", "1.1.0", Behaviour(dies=True))
    assert results(world.run()) == {"notes": Result.RED}
    world.tag("notes", "1.1.1")
    assert results(world.run()) == {"notes": Result.PROMOTED}


def test_each_app_of_a_slot_has_the_time_to_end_that_its_own_recipe_declares(world: World) -> None:
    times = {"accounts": timedelta(seconds=7), "notes": timedelta(hours=2)}
    world.declare("accounts", stop=Stop(times["accounts"]))
    world.declare("notes", stop=Stop(times["notes"]), install=Install(needs=("accounts",)))
    for name in times:
        world.tag(name, "1.0.0")
    recorder = world.wrap = CallRecorder()

    assert results(world.run())["notes"] is Result.PROMOTED

    stopped = [call.args[0] for call in recorder.calls if call.name == "driver.stop"]
    assert {app.recipe: app.grace for app in stopped if isinstance(app, App)} == times


@pytest.mark.parametrize("fails", [Behaviour(starts=False), Behaviour(slow=True), Behaviour(resists=99)])
def test_a_failure_of_a_needed_app_blames_no_recipe(world: World, fails: Behaviour) -> None:
    world.declare("accounts")
    accounts = world.tag("accounts", "1.0.0")
    world.run()
    world.declare("notes", install=Install(needs=("accounts",)))
    world.tag("notes", "1.0.0")
    world.behaviours[accounts] = fails

    done = world.run()

    assert results(done) == {"accounts": Result.NONE, "notes": Result.INFRASTRUCTURE}
    assert "notes needs accounts, which failed: " in reasons(done)["notes"]
    world.behaviours[accounts] = Behaviour()
    assert results(world.run())["notes"] is Result.PROMOTED


def test_a_needed_app_that_has_to_be_killed_for_an_upgrade_blames_no_recipe(world: World) -> None:
    world.declare("accounts")
    accounts = world.tag("accounts", "1.0.0")
    world.declare("notes", install=Install(needs=("accounts",)))
    world.tag("notes", "1.0.0")
    world.run()
    world.tag("accounts", "1.1.0")
    world.run("accounts")
    world.tag("notes", "1.1.0")
    world.behaviours[accounts] = Behaviour(resists=99)

    done = world.run("notes")

    assert results(done) == {"notes": Result.INFRASTRUCTURE}
    assert "notes needs accounts, which failed: accounts did not end in the time" in reasons(done)["notes"]
    world.behaviours[accounts] = Behaviour()
    assert results(world.run("notes")) == {"notes": Result.PROMOTED}
    assert world.lived("notes") == ("1.0.0", "1.1.0")


def test_a_canonical_that_has_to_be_killed_to_be_upgraded_is_no_evidence_against_the_head(world: World) -> None:
    world.declare("notes")
    old = world.tag("notes", "1.0.0")
    world.run()
    world.behaviours[old] = Behaviour(resists=99)
    world.tag("notes", "1.1.0")

    done = world.run()

    assert results(done) == {"notes": Result.INFRASTRUCTURE}
    assert "the canonical 1.0.0: notes did not end in the time it has to stop" in reasons(done)["notes"]
    world.behaviours[old] = Behaviour()
    assert results(world.run()) == {"notes": Result.PROMOTED}
    assert world.lived("notes") == ("1.0.0", "1.1.0")
