"""A rollback's copy is damaged: the recipe goes on from its own history, never from what the person left."""

from pathlib import Path

import pytest

from desired.model import CanonicalPolicy
from reconciler.core.observation import State
from reconciler.core.outcome import Result
from reconciler.core.report import Row
from tests.damaged_generations import harm
from tests.promotion.test_rollback import built, have, the_row
from tests.rolled_back import go_back
from tests.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Generations 1 (1.0.0), 2 (1.1.0, which was left) and 3 (the copy of 1)."""
    world = built(tmp_path, canonical=CanonicalPolicy(generations=5))
    go_back(world)
    return world


def reason(row: Row) -> str:
    assert row.outcome is not None
    return row.outcome.reason


def test_where_the_copy_is_damaged_the_data_goes_on_from_the_generation_of_which_it_is_one(world: World) -> None:
    harm(world, 3)
    [planned] = world.look().rows
    assert "generation 1 (1.0.0) is intact" in planned.step.reason
    row = the_row(world)
    assert row.result is Result.REPAIRED
    assert reason(row).endswith("generation 3 is damaged, the data goes on from generation 1")
    assert (have(world).version, have(world).lineage, world.lived("notes")) == ("1.0.0", ("1.0.0",), ("1.0.0",))
    assert have(world).evidence.base.why == "generation 1, intact, with its data: the canonical is damaged"


def test_a_newer_release_than_the_left_one_does_not_go_over_the_data_that_was_left(world: World) -> None:
    harm(world, 3)
    world.tag("notes", "1.2.0")
    row = the_row(world)
    assert row.result is Result.PROMOTED
    assert world.lived("notes") == have(world).lineage == ("1.0.0", "1.2.0")
    assert "goes on from generation 1" in reason(row)


def test_where_nothing_but_the_left_generation_is_intact_the_release_begins_anew_and_the_loss_is_named(
    world: World,
) -> None:
    for generation in (1, 3):
        harm(world, generation)
    world.tag("notes", "1.2.0")
    row = the_row(world)
    assert row.result is Result.PROMOTED
    assert reason(row).endswith("the damaged data that had lived through 1.0.0 is lost")
    assert world.lived("notes") == have(world).lineage == ("1.1.0", "1.2.0")
    assert world.host().registry.generations("notes")[2].lineage == ("1.0.0", "1.1.0")


def test_a_release_after_the_rollback_that_is_damaged_goes_on_from_the_copy_and_then_from_its_original(
    world: World,
) -> None:
    world.tag("notes", "1.2.0")
    assert the_row(world).result is Result.PROMOTED
    harm(world, 4)
    assert "goes on from generation 3" in reason(the_row(world))
    for generation in (3, 5):
        harm(world, generation)
    assert "goes on from generation 1" in reason(the_row(world))
    assert world.lived("notes") == ("1.0.0", "1.2.0")
    assert the_row(world).finding.status.state is State.INTACT


def test_after_a_rollback_of_a_rollback_the_newer_data_goes_on(world: World) -> None:
    assert go_back(world, to=2).version == "1.1.0"
    harm(world, 4)
    assert reason(the_row(world)).endswith("generation 4 is damaged, the data goes on from generation 2")
    assert world.lived("notes") == ("1.0.0", "1.1.0")
