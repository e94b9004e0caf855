from collections.abc import Callable, Iterator

import pytest

from reconciler.core.outcome import Result
from reconciler.core.plan import HeldBack
from tests.folders import scratch_folder
from tests.modelled_stories import upgraded
from tests.modelled_world import ModelledWorld
from tests.port_calls import Call, CallRecorder, CarryOut
from tests.world import World


@pytest.fixture
def driven() -> Iterator[ModelledWorld]:
    with scratch_folder() as root:
        yield ModelledWorld.beginning(root)


def during_the_trial(world: World, happen: Callable[[], None]) -> None:
    """Let something happen while the recipe's own tests run."""

    def answer(call: Call, honest: CarryOut) -> object:
        if call.name == "commands.run" and getattr(call.args[0], "argv", None) == ("custom",):
            happen()
        return honest()

    world.wrap = CallRecorder(answer)


def test_a_tag_that_moves_while_it_is_tried_is_not_promoted_and_then_asks_for_a_person(driven: ModelledWorld) -> None:
    world = driven.world
    upgraded(driven)
    during_the_trial(world, lambda: driven.publish("alpha", "2.0.0"))
    row = world.run("alpha").report.rows[0]
    world.wrap = lambda _, port: port

    assert row.result is Result.GREEN_NOT_PROMOTED
    assert row.outcome is not None
    assert [condition.name for condition in row.outcome.attempt.refusals] == ["tagged"]
    assert world.lived("alpha") == ("1.0.0",)
    assert world.run("alpha").report.rows[0].step.held_back is HeldBack.QUARANTINED
    assert world.lived("alpha") == ("1.0.0",)


def test_an_upstream_that_fails_during_a_trial_delays_the_promotion_by_one_pass(
    driven: ModelledWorld,
) -> None:
    world = driven.world
    upgraded(driven)
    during_the_trial(world, lambda: setattr(world.origins["alpha"], "down", "no answer"))
    assert world.run("alpha").report.rows[0].result is Result.GREEN_NOT_PROMOTED
    world.wrap = lambda _, port: port
    world.origins["alpha"].down = ""

    assert world.run("alpha").report.rows[0].result is Result.PROMOTED
    assert world.lived("alpha") == ("1.0.0", "2.0.0")
