"""Which releases of which needs the digest of a recipe's tests covers, in drawn fleets of needs."""

from collections.abc import Mapping
from pathlib import Path

from attrs import evolve, frozen
from hypothesis import given
from hypothesis import strategies as st

from desired.digest import declaration_digest, json_digest
from desired.model import Install, Recipe
from desired.releases import Unobservable
from reconciler.core.observation import Observation
from reconciler.deploy.tests_digest import with_tests
from state.records import Answer, Canonical
from tests.values import answer, canonical, commit, observation, recipe

NAMES = ("a", "b", "c", "d", "e")


@frozen
class NeededFleet:
    """A fleet whose recipes need each other. Some have a canonical; upstream of every one has a release."""

    observations: Mapping[str, Observation]
    canonicals: Mapping[str, Canonical]

    @property
    def recipes(self) -> dict[str, Recipe]:
        return {name: seen.recipe for name, seen in self.observations.items()}

    def digests(self) -> dict[str, str]:
        found = with_tests(self.observations, {}, self.recipes, self.canonicals)
        return {name: seen.tests for name, seen in found.items()}

    def promoted(self, name: str) -> "NeededFleet":
        have = canonical("2.0.0", commit(f"{name} promoted"), name)
        return evolve(self, canonicals={**self.canonicals, name: have})

    def released(self, name: str) -> "NeededFleet":
        return self.answered(name, answer({"1.0.0": commit(name), "3.0.0": commit(f"{name} released")}))

    def answered(self, name: str, said: Answer | Unobservable) -> "NeededFleet":
        seen = evolve(self.observations[name], answer=said)
        return evolve(self, observations={**self.observations, name: seen})

    def dependents(self, name: str) -> set[str]:
        """Return the recipes that need `name`, found by going up from it."""
        direct = {each for each, made in self.recipes.items() if name in made.install.needs}
        return direct.union(*(self.dependents(each) for each in direct))


@st.composite
def needed_fleets(draw: st.DrawFn) -> NeededFleet:
    observations = {}
    for place, name in enumerate(NAMES):
        needs = draw(st.lists(st.sampled_from(NAMES[:place]), unique=True, max_size=3)) if place else []
        made = evolve(recipe(name), folder=Path("/fleet") / name, install=Install(needs=tuple(needs)))
        seen = evolve(observation({"1.0.0": commit(name)}), recipe=made, test_files=f"files of {name}")
        observations[name] = evolve(seen, memory=evolve(seen.memory, recipe=name))
    have = draw(st.sets(st.sampled_from(NAMES)))
    return NeededFleet(observations, {name: canonical("1.0.0", commit(name), name) for name in have})


def changed(before: NeededFleet, after: NeededFleet) -> set[str]:
    then, now = before.digests(), after.digests()
    return {name for name in then if then[name] != now[name]}


@given(needed_fleets(), st.sampled_from(NAMES))
def test_a_promotion_changes_the_tests_of_exactly_the_recipes_that_need_it_even_indirectly(
    fleet: NeededFleet, name: str
) -> None:
    assert changed(fleet, fleet.promoted(name)) == fleet.dependents(name)


@given(needed_fleets(), st.sampled_from(NAMES))
def test_a_release_changes_the_tests_of_what_needs_it_only_while_nothing_of_it_is_promoted(
    fleet: NeededFleet, name: str
) -> None:
    after = fleet.released(name)
    assert changed(fleet, after) == (set() if name in fleet.canonicals else fleet.dependents(name))
    assert changed(fleet.promoted(name), after.promoted(name)) == set()


@given(needed_fleets(), st.sampled_from(NAMES))
def test_a_first_promotion_of_the_release_that_was_deployed_before_changes_no_tests(
    fleet: NeededFleet, name: str
) -> None:
    promoted = {**fleet.canonicals, name: canonical("1.0.0", commit(name), name)}
    assert changed(fleet, evolve(fleet, canonicals=promoted)) == set()


@given(needed_fleets(), st.sampled_from(NAMES))
def test_an_upstream_that_cannot_be_observed_counts_with_its_last_recorded_answer(
    fleet: NeededFleet, name: str
) -> None:
    seen = fleet.observations[name]
    assert isinstance(seen.answer, Answer)
    recorded = evolve(seen, memory=evolve(seen.memory, answer=seen.answer))
    fleet = evolve(fleet, observations={**fleet.observations, name: recorded})
    assert changed(fleet, fleet.answered(name, Unobservable("connection refused"))) == set()


@given(needed_fleets())
def test_tests_whose_needs_are_direct_and_promoted_keep_the_digest_that_earlier_records_have(
    fleet: NeededFleet,
) -> None:
    digests, recipes = fleet.digests(), fleet.recipes
    for name, made in recipes.items():
        needs = made.install.needs
        if set(needs) <= set(fleet.canonicals) and not any(recipes[need].install.needs for need in needs):
            recorded = {
                "declared": {each: declaration_digest(recipes[each]) for each in (name, *needs)},
                "files": f"files of {name}",
                "needs": {need: fleet.canonicals[need].commit for need in needs},
            }
            assert digests[name] == json_digest(recorded)


def test_tests_that_could_not_be_read_have_no_digest() -> None:
    unread = evolve(observation({}), files="", tests="tests-1")
    assert with_tests({"notes": unread}, {}, {"notes": unread.recipe}, {})["notes"].tests == ""
