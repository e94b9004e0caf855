"""Which kept deployments conflict with a trial, compared with a search over all pairs of recipes."""

from collections.abc import Mapping
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from desired.model import CanonicalPolicy, Install, Keep, Recipe
from reconciler.core.needs import conflicting_recipes, kept_apps

NAMES = ("a", "b", "c", "d", "e")


@st.composite
def fleets(draw: st.DrawFn) -> dict[str, Recipe]:
    """Draw recipes by name. Each needs only recipes before it, so there is no circle."""
    recipes = {}
    for place, name in enumerate(NAMES):
        needs = draw(st.sets(st.sampled_from(NAMES[:place]))) if place else set()
        recipes[name] = Recipe(
            name,
            f"https://forge.example/{name}.git",
            Path(name),
            enrolled=draw(st.booleans()),
            install=Install(needs=tuple(sorted(needs))),
            canonical=CanonicalPolicy(keep=draw(st.sampled_from(Keep))),
        )
    return recipes


def everything_below(recipes: Mapping[str, Recipe], name: str) -> set[str]:
    found, left = set[str](), [name]
    while left:
        found.add(each := left.pop())
        left.extend(recipes[each].install.needs)
    return found


@given(fleets())
def test_a_kept_deployment_conflicts_with_each_trial_that_shares_an_app_with_it(recipes: dict[str, Recipe]) -> None:
    kept = [name for name, each in recipes.items() if each.enrolled and each.canonical.keep is Keep.RUNNING]
    for name, recipe in recipes.items():
        own = everything_below(recipes, name)
        meeting = tuple(other for other in kept if own & everything_below(recipes, other))
        assert conflicting_recipes(recipes, recipe) == meeting
        assert conflicting_recipes(recipes, recipe, kept_apps(recipes)) == meeting
