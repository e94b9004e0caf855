"""Single stories beside the model: every cause and every result occurs, and what random driving once found."""

from collections.abc import Callable, Iterator, Mapping

import pytest
from attrs import evolve

from reconciler.core.findings import Cause
from reconciler.core.outcome import Result
from tests.folders import scratch_folder
from tests.modelled_stories import released, upgraded
from tests.modelled_world import ModelledWorld
from tests.world import Behaviour

Story = Callable[[ModelledWorld], None]


@pytest.fixture
def driven() -> Iterator[ModelledWorld]:
    with scratch_folder() as root:
        yield ModelledWorld.beginning(root)


def damaged(driven: ModelledWorld) -> None:
    released(driven)
    driven.damage("alpha", 4000)


def toolless(driven: ModelledWorld) -> None:
    driven.publish("gamma", "1.0.0")
    driven.world.missing.add("tool")


def moved(driven: ModelledWorld) -> None:
    released(driven)
    driven.publish("alpha", "1.0.0")


def withdrawn(driven: ModelledWorld) -> None:
    released(driven)
    driven.delete("alpha", ["1.0.0"])


def twice(driven: ModelledWorld) -> None:
    driven.publish("alpha", "1.0.0")
    driven.publish("alpha", "v1.0.0")


def unreachable(driven: ModelledWorld) -> None:
    released(driven)
    driven.fail_or_come_back("alpha")


def publish(behaviour: Behaviour) -> Story:
    return lambda driven: driven.publish("alpha", "1.0.0", behaviour)


RESULTS: Mapping[Result, Story] = {
    Result.NONE: released,
    Result.PROMOTED: publish(Behaviour()),
    Result.REPAIRED: damaged,
    Result.RED: publish(Behaviour(starts=False)),
    Result.GREEN_NOT_PROMOTED: publish(Behaviour(is_bound=True)),
    Result.INFRASTRUCTURE: toolless,
    Result.NOT_TRIED: publish(Behaviour()),
}
CAUSES: Mapping[Cause, Story] = {
    Cause.IN_SYNC: released,
    Cause.FIRST_RELEASE: publish(Behaviour()),
    Cause.NEW_RELEASE: upgraded,
    Cause.NEVER_RELEASED: lambda _: None,
    Cause.AMBIGUOUS: twice,
    Cause.AHEAD: withdrawn,
    Cause.MOVED: moved,
    Cause.UNOBSERVABLE: unreachable,
}


@pytest.mark.parametrize("result", Result)
def test_every_result_can_be_had(driven: ModelledWorld, result: Result) -> None:
    RESULTS[result](driven)
    found = driven.one_pass(busy="alpha" if result is Result.NOT_TRIED else None)
    assert any(each.endswith(f": {result}") for each in found)


@pytest.mark.parametrize("cause", [cause for cause in Cause if cause is not Cause.ORPHANED])
def test_every_cause_can_be_had(driven: ModelledWorld, cause: Cause) -> None:
    CAUSES[cause](driven)
    driven.look()
    assert any(each.startswith(f"{cause}: ") for each in driven.one_pass())


def test_a_recipe_that_is_declared_no_longer_is_an_orphan_until_it_is_forgotten(driven: ModelledWorld) -> None:
    released(driven)
    driven.undeclare_or_declare("alpha")
    driven.one_pass()
    assert [row.finding.cause for row in driven.world.look().rows if row.recipe == "alpha"] == [Cause.ORPHANED]
    assert driven.forget("alpha")
    driven.one_pass()
    assert "alpha" not in {row.recipe for row in driven.world.look().rows}


def test_a_recipe_that_was_forgotten_and_is_declared_again_gets_a_canonical_again(driven: ModelledWorld) -> None:
    released(driven)
    driven.undeclare_or_declare("alpha")
    driven.forget("alpha")
    driven.undeclare_or_declare("alpha")
    assert "first-release: promoted" in driven.one_pass()


def test_a_base_that_writes_into_its_own_checkout_says_nothing_against_the_next_release(driven: ModelledWorld) -> None:
    driven.publish("alpha", "1.0.0", Behaviour(writes_into_checkout=True))
    assert "first-release: green-not-promoted" in driven.one_pass()
    driven.publish("alpha", "2.0.0")
    assert "first-release: promoted" in driven.one_pass()
    assert driven.world.lived("alpha") == ("1.0.0", "2.0.0")


def test_an_older_tag_that_moved_is_no_base(driven: ModelledWorld) -> None:
    driven.publish("alpha", "1.0.0", Behaviour(passes_custom=False))
    driven.publish("alpha", "2.0.0", Behaviour(passes_custom=False))
    driven.one_pass()
    driven.publish("alpha", "2.0.0")
    driven.publish("alpha", "3.0.0")
    assert "first-release: promoted" in driven.one_pass()
    assert driven.world.lived("alpha") == ("1.0.0", "3.0.0")


def test_a_canonical_whose_commit_is_lost_everywhere_is_damaged_and_made_anew(driven: ModelledWorld) -> None:
    moved(driven)
    driven.world.mirrors.clear()
    assert driven.accept_moved("alpha")
    assert "new-release: infrastructure" in driven.one_pass()
    assert "new-release: promoted" in driven.one_pass()


def test_a_red_release_does_not_keep_a_damaged_canonical_from_being_repaired(driven: ModelledWorld) -> None:
    damaged(driven)
    driven.publish("alpha", "2.0.0", Behaviour(starts=False))
    assert "new-release: red" in driven.one_pass()
    assert "new-release: repaired" in driven.one_pass()
    assert driven.world.lived("alpha") == ("1.0.0",)


def test_a_red_release_is_tried_again_once_its_tests_have_changed_and_not_before(driven: ModelledWorld) -> None:
    driven.break_or_mend_the_tests("alpha")
    driven.publish("alpha", "1.0.0")
    assert "first-release: red" in driven.one_pass()
    driven.pass_that_does_only_what_is_left()
    driven.break_or_mend_the_tests("alpha")
    assert "first-release: promoted" in driven.one_pass()


def test_a_red_release_is_tried_again_once_it_names_another_commit_that_was_accepted(driven: ModelledWorld) -> None:
    driven.publish("alpha", "1.0.0", Behaviour(starts=False))
    assert "first-release: red" in driven.one_pass()
    driven.publish("alpha", "1.0.0")
    assert "moved: none" in driven.one_pass()
    assert driven.accept_moved("alpha")
    assert "first-release: promoted" in driven.one_pass()


def test_a_red_release_is_tried_again_when_a_person_asks(driven: ModelledWorld) -> None:
    driven.publish("alpha", "1.0.0", Behaviour(slow=True))
    assert "first-release: red" in driven.one_pass()
    before = len(driven.world.deployed)
    assert "first-release: red" in driven.one_pass(retry=["alpha"])
    # What was not done in time is tried twice.
    assert len(driven.world.deployed) == before + 2


def test_an_upstream_that_lost_its_tags_is_not_believed_until_a_person_accepts_it(driven: ModelledWorld) -> None:
    for version in ("1.0.0", "2.0.0", "3.0.0"):
        driven.publish("alpha", version)
    driven.one_pass()
    driven.delete("alpha", ["1.0.0", "2.0.0"])
    driven.publish("alpha", "4.0.0")
    assert "unobservable: none" in driven.one_pass()
    assert driven.accept_loss("alpha")
    assert "new-release: promoted" in driven.one_pass()
    assert driven.world.lived("alpha") == ("2.0.0", "3.0.0", "4.0.0")


def test_a_pass_over_a_selection_leaves_the_others_alone(driven: ModelledWorld) -> None:
    released(driven)
    for name in ("alpha", "beta"):
        driven.publish(name, "2.0.0")
    assert driven.one_pass(["beta"]) == ["first-release: promoted"]
    driven.look(["alpha"])
    assert driven.world.lived("alpha") == ("1.0.0",)


def test_a_lost_mirror_is_fetched_again_and_nothing_is_tried(driven: ModelledWorld) -> None:
    released(driven)
    driven.world.mirrors.clear()
    assert "in-sync: repaired" in driven.one_pass()
    driven.pass_that_does_only_what_is_left()


def test_a_pass_that_sees_only_excepted_recipes_is_hollow(driven: ModelledWorld) -> None:
    for name, recipe in driven.world.recipes.items():
        driven.world.recipes[name] = evolve(recipe, enrolled=False, exception="not yet")
    driven.look()
    driven.one_pass()
    assert driven.world.look().exit_code == 5
