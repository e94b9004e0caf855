"""The app of a later tier is deployed while an earlier tier runs. No label may depend on that."""

from pathlib import Path

import pytest
from attrs import evolve

from reconciler.core.outcome import Result
from tests.pass_results import all_notes, results
from tests.world import Behaviour, World

BASE, RESTORE = ("upgrade", "install"), ("restore", "upgrade")


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A world in which the first release of a recipe is promoted."""
    return World.promoted(tmp_path, "notes")


def test_the_base_comes_up_while_the_fresh_install_runs_and_the_restored_app_during_the_backup(world: World) -> None:
    world.together.clear()
    world.tag("notes", "1.1.0")
    assert results(world.run()) == {"notes": Result.PROMOTED}
    assert world.together == [BASE, RESTORE[::-1]]
    assert world.lived("notes") == ("1.0.0", "1.1.0")
    assert world.running == {}


@pytest.mark.parametrize("cause", ["driver", "budget", "release"])
def test_only_one_slot_is_up_if_the_driver_the_budget_or_the_release_does_not_allow_two(
    world: World, cause: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.together.clear()
    world.overlaps = cause != "driver"
    if cause == "budget":
        own = World.fleet.fget  # type: ignore[attr-defined]  # a property
        monkeypatch.setattr(World, "fleet", property(lambda world: evolve(own(world), parallel=1)))
    world.tag("notes", "1.1.0", Behaviour(refuses_company=cause == "release"))
    if cause == "release":
        world.behaviours[world.origins["notes"].tags["1.0.0"]] = Behaviour(refuses_company=True)
    done = world.run()
    assert results(done) == {"notes": Result.PROMOTED}
    assert (world.together, all_notes(done)) == ([], [])


def test_a_release_that_only_fails_while_another_app_of_it_runs_is_promoted_and_a_remark_says_so(world: World) -> None:
    world.tag("notes", "1.1.0", Behaviour(fights=True))
    done = world.run()
    assert results(done) == {"notes": Result.PROMOTED}
    [remark] = all_notes(done)
    assert remark.startswith("a first run failed while apps of two slots were up, which does not count: ")
    assert "lost its lock to another app" in remark
    assert world.lived("notes") == ("1.0.0", "1.1.0")


def test_a_canonical_that_only_fails_beside_the_fresh_install_is_not_damaged(world: World) -> None:
    world.behaviours[world.origins["notes"].tags["1.0.0"]] = Behaviour(fights=True)
    world.tag("notes", "1.1.0")
    assert results(world.run()) == {"notes": Result.PROMOTED}
    assert world.lived("notes") == ("1.0.0", "1.1.0")


def test_a_base_that_only_fails_beside_the_fresh_install_still_gives_its_data(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.declare("notes")
    world.tag("notes", "1.0.0", Behaviour(fights=True))
    world.tag("notes", "1.1.0")
    assert results(world.run()) == {"notes": Result.PROMOTED}
    assert world.lived("notes") == ("1.0.0", "1.1.0")


def test_a_release_that_fails_with_one_slot_up_too_is_red(world: World) -> None:
    world.tag("notes", "1.1.0", Behaviour(fights=True, passes_custom=False))
    done = world.run()
    assert results(done) == {"notes": Result.RED}
    assert ["lost its lock" in note for note in all_notes(done)] == [True]


def test_a_timeout_with_two_slots_up_does_not_count_as_the_first_of_two(world: World) -> None:
    base = world.origins["notes"].tags["1.0.0"]
    world.behaviours[base] = Behaviour(slow_in=1)
    world.tag("notes", "1.1.0")
    done = world.run()
    assert (results(done), len(all_notes(done))) == ({"notes": Result.PROMOTED}, 1)

    world.behaviours[world.origins["notes"].tags["1.1.0"]] = Behaviour(slow=True)
    world.tag("notes", "1.2.0")
    done = world.run()
    beside, alone = all_notes(done)
    assert results(done) == {"notes": Result.INFRASTRUCTURE}
    assert "does not count" in beside
    assert alone.endswith("the second run decides: slow host")
