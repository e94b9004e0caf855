"""The loop over a world in memory: what a pass comes to, told from the world and the records."""

from pathlib import Path

import pytest

from desired.model import TierName
from reconciler.core.outcome import Result
from reconciler.core.plan import Action
from reconciler.core.sights import State
from reconciler.loop import Pass
from tests.world import Behaviour, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def results(done: Pass) -> dict[str, Result]:
    return {row.recipe: row.result for row in done.report.rows}


def test_a_first_release_is_tried_promoted_and_then_left_alone(world: World) -> None:
    world.declare("notes")
    commit = world.tag("notes", "1.0.0+v1")
    assert world.look().exit_code == 2

    done = world.run()

    assert results(done) == {"notes": Result.PROMOTED}
    assert done.report.exit_code == 0
    have = world.records().canonicals["notes"]
    assert (have.version, have.commit, have.lineage) == ("1.0.0+v1", commit, ("1.0.0+v1",))
    assert world.lived("notes") == ("1.0.0+v1",)
    before = list(world.deployed)
    assert results(world.run()) == {"notes": Result.NONE}
    assert world.deployed == before
    assert not world.running
    assert list(world.state.work.iterdir()) == []


def test_a_new_release_lives_on_the_data_of_the_old_one(world: World) -> None:
    world.declare("notes")
    world.tag("notes", "1.0.0")
    world.run()
    world.tag("notes", "1.1.0")

    done = world.run()

    assert results(done) == {"notes": Result.PROMOTED}
    assert world.lived("notes") == ("1.0.0", "1.1.0")
    assert world.records().canonicals["notes"].lineage == ("1.0.0", "1.1.0")


def test_a_release_that_breaks_data_that_has_lived_is_red_and_remembered(world: World) -> None:
    world.declare("notes")
    world.tag("notes", "1.0.0")
    world.run()
    world.tag("notes", "2.0.0", Behaviour(breaks_lived=True))

    done = world.run()

    assert results(done) == {"notes": Result.RED}
    assert done.report.exit_code == 4
    assert world.records().canonicals["notes"].version == "1.0.0"
    assert world.lived("notes") == ("1.0.0",)
    before = list(world.deployed)
    again = world.run()
    assert again.report.exit_code == 4
    assert world.deployed == before
    world.tag("notes", "2.0.1")
    assert results(world.run()) == {"notes": Result.PROMOTED}
    assert world.lived("notes") == ("1.0.0", "2.0.1")


def test_a_recipe_whose_upgrade_tier_is_declared_out_keeps_the_data_of_a_fresh_install(world: World) -> None:
    world.declare("notes", tiers={TierName.UPGRADE: "its data cannot be carried"})
    world.tag("notes", "1.0.0")
    world.run()
    world.tag("notes", "1.1.0")

    done = world.run()

    assert results(done) == {"notes": Result.PROMOTED}
    assert world.lived("notes") == ("1.1.0",)
    assert world.records().canonicals["notes"].lineage == ("1.1.0",)


def test_a_canonical_that_only_rises_too_slowly_is_no_damage(world: World) -> None:
    world.declare("notes")
    old = world.tag("notes", "1.0.0")
    world.run()
    world.behaviours[old] = Behaviour(slow=True)
    world.tag("notes", "1.1.0")

    assert results(world.run()) == {"notes": Result.INFRASTRUCTURE}

    world.behaviours[old] = Behaviour()
    assert results(world.run()) == {"notes": Result.PROMOTED}
    assert world.lived("notes") == ("1.0.0", "1.1.0")


def test_a_canonical_that_no_longer_rises_is_damage_and_is_tested_afresh_by_the_next_pass(world: World) -> None:
    world.declare("notes")
    old = world.tag("notes", "1.0.0")
    world.run()
    world.behaviours[old] = Behaviour(starts=False)
    world.tag("notes", "1.1.0")

    done = world.run()

    assert results(done) == {"notes": Result.INFRASTRUCTURE}
    assert [row.finding.look.state for row in done.report.rows] == [State.DAMAGED]
    assert results(world.run()) == {"notes": Result.PROMOTED}
    assert world.lived("notes") == ("1.1.0",)


def test_a_mirror_that_cannot_be_read_is_fetched_anew_and_said_to_lie_aside(world: World) -> None:
    world.declare("notes")
    world.tag("notes", "1.0.0")
    world.run()
    before = list(world.deployed)
    world.mirrors["notes"].broken = "no repository"
    assert [row.step.action for row in world.look().rows] == [Action.REPAIR]

    done = world.run()

    assert results(done) == {"notes": Result.REPAIRED}
    assert done.report.notes == (
        "notes: its mirror was broken and was fetched anew; the broken one lies in /laid-aside/notes",
    )
    assert world.mirrors["notes"].tags == world.origins["notes"].tags
    assert world.deployed == before
    assert results(world.run()) == {"notes": Result.NONE}
