"""Which stored generation a recipe can go back to whose canonical is ahead of its upstream."""

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.blockers import blockers_of
from reconciler.core.findings import Cause, compare
from reconciler.core.observation import CanonicalStatus, Observation, State
from reconciler.core.rollback_offer import newest_older, rollback_offer
from state.records import Canonical
from tests.core.test_blockers import case_of
from tests.strategies import NAMES, RANK, observations, usual_commit
from tests.values import canonical, commit, observation

A, B, C = commit("a"), commit("b"), commit("c")


def generation(number: int, version: str, at: str) -> Canonical:
    return evolve(canonical(version, at), generation=number)


GENERATIONS = st.lists(st.sampled_from(NAMES), max_size=4).map(
    lambda names: [generation(len(names) - each, name, usual_commit(name)) for each, name in enumerate(names)]
)


@given(observations(), GENERATIONS)
def test_after_a_rollback_to_the_offered_generation_the_recipe_is_neither_ahead_nor_moved(
    seen: Observation, intact: list[Canonical]
) -> None:
    target = rollback_offer(seen, intact)
    causes = [
        compare({"notes": evolve(seen, canonical=each, status=CanonicalStatus(State.INTACT))}, {})[0].cause
        for each in intact
    ]
    helps = [each for each, cause in zip(intact, causes, strict=True) if cause not in {Cause.AHEAD, Cause.MOVED}]
    assert target == (helps[0] if helps else None)


@given(st.sampled_from(NAMES), GENERATIONS)
def test_without_a_number_a_rollback_goes_to_the_newest_generation_of_an_older_release(
    name: str, intact: list[Canonical]
) -> None:
    have = canonical(name, usual_commit(name))
    older = [each for each in intact if RANK[each.version] < RANK[name]]
    found = newest_older(have, intact)
    assert found == max(older, key=lambda each: each.generation, default=None)


def test_a_generation_outside_of_allow_or_withdrawn_too_is_not_offered() -> None:
    have = generation(3, "1.2.0", C)
    gone = observation({"1.0.0": A, "1.1.0": B}, have)
    stored = [generation(2, "1.1.0", B), generation(1, "1.0.0", A)]
    assert rollback_offer(gone, stored) == stored[0]
    assert rollback_offer(evolve(gone, recipe=evolve(gone.recipe, allow="<1.1")), stored) == stored[1]
    withdrawn = [generation(2, "1.0.1", C), stored[1]]
    assert rollback_offer(gone, withdrawn) == stored[1]


def test_a_canonical_that_allow_excludes_may_go_back_to_a_generation_that_it_admits() -> None:
    outside = observation({"0.9.0": B, "1.0.0": A}, generation(2, "1.0.0", A))
    case = case_of(evolve(outside, recipe=evolve(outside.recipe, allow="<1")))
    [blocker] = blockers_of(evolve(case, stored=(generation(1, "0.9.0", B),)))
    assert [change.command for change in blocker.any_of] == ["", "", "reconcile rollback notes --reason …"]
