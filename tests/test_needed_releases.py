"""Which release of a recipe without a canonical is deployed for another recipe that needs it."""

from datetime import timedelta
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from desired.model import Install
from desired.releases import Release, Unobservable
from reconciler.core.observation import Observation
from reconciler.core.outcome import Result
from reconciler.core.plan import HeldBack
from reconciler.core.report import Row
from reconciler.core.wanted_release import need_releases
from state.records import KnownTag
from tests.explained_world import ExplainedWorld
from tests.values import NOW, canonical, commit, observation
from tests.world import Behaviour, World

WEEK = timedelta(days=7)
VERSIONS = ("1.0.0", "1.1.0", "1.2.0")
COMMITS = {version: commit(version) for version in VERSIONS}
NO_RELEASE = "notes needs accounts, which has neither a canonical nor a release that may be deployed"


def seen(days: dict[str, int], moved: frozenset[str] = frozenset()) -> Observation:
    """An observation of releases that have to be known for a week.

    `days` is how long ago each release was first seen. The tags in `moved` name another commit than then.
    """
    tags: dict[str, str | None] = {tag: commit(f"{tag} moved") if tag in moved else COMMITS[tag] for tag in days}
    base = observation(tags)
    known = {tag: KnownTag(COMMITS[tag], NOW - timedelta(days=ago)) for tag, ago in days.items()}
    return evolve(base, recipe=evolve(base.recipe, minimum_age=WEEK), memory=evolve(base.memory, known=known))


@given(
    st.dictionaries(st.sampled_from(VERSIONS), st.integers(0, 14), min_size=1),
    st.frozensets(st.sampled_from(VERSIONS)),
)
def test_a_need_gets_the_newest_release_that_is_old_enough_and_was_not_moved(
    days: dict[str, int], moved: frozenset[str]
) -> None:
    usable = [version for version, ago in days.items() if ago >= 7 and version not in moved]
    newest = Release(max(usable), COMMITS[max(usable)]) if usable else None
    assert need_releases({}, {"accounts": seen(days, moved)}) == {"accounts": newest}


def test_a_need_with_a_canonical_gets_its_release_whatever_became_of_the_tag() -> None:
    have = canonical("1.0.0", COMMITS["1.0.0"])
    found = need_releases({"accounts": have}, {"accounts": seen({"1.0.0": 0}, frozenset({"1.0.0"}))})
    assert found == {"accounts": Release(have.version, have.commit)}


def test_a_need_whose_upstream_cannot_be_seen_or_is_ambiguous_gets_no_release() -> None:
    unseen = observation(Unobservable("timeout"))
    ambiguous = observation({"1.0.0": commit("a"), "1.1.0": commit("b"), "v1.1.0": commit("c")})
    assert need_releases({}, {"accounts": unseen, "mail": ambiguous}) == {"accounts": None, "mail": None}


# ---- in a pass ----


def rows(world: World) -> dict[str, Row]:
    return {row.recipe: row for row in world.run().report.rows}


def declare(world: World, age: timedelta = timedelta(0)) -> None:
    """Declare notes, which needs accounts, whose releases have to be known for `age`."""
    world.declare("accounts", minimum_age=age)
    world.declare("notes", install=Install(needs=("accounts",)))


def deployed(world: World, name: str) -> list[str]:
    return [at for recipe, _, at in world.deployed if recipe == name]


@pytest.mark.parametrize("on_main", [True, False])
def test_a_release_that_was_moved_is_not_deployed_for_another_recipe(tmp_path: Path, *, on_main: bool) -> None:
    world = World(tmp_path)
    declare(world)
    world.tag("accounts", "1.0.0", Behaviour(passes_custom=False))
    world.run()
    other = world.tag("accounts", "1.0.0")
    world.tag("notes", "1.0.0")
    if not on_main:
        world.commit("accounts")
    now = rows(world)
    assert now["accounts"].step.held_back is HeldBack.QUARANTINED
    assert now["notes"].result is Result.NOT_TRIED
    assert now["notes"].outcome is not None
    assert now["notes"].outcome.reason.startswith(NO_RELEASE)
    assert other not in deployed(world, "accounts")
    assert world.records().canonicals == {}


def test_a_need_whose_newest_release_was_moved_is_deployed_at_the_one_before(tmp_path: Path) -> None:
    world = World(tmp_path)
    declare(world)
    older = world.tag("accounts", "0.9.0", Behaviour(passes_custom=False))
    world.tag("accounts", "1.0.0", Behaviour(passes_custom=False))
    world.run()
    world.tag("accounts", "1.0.0")
    world.tag("notes", "1.0.0")
    world.deployed.clear()
    assert rows(world)["notes"].result is Result.PROMOTED
    assert set(deployed(world, "accounts")) == {older}


def test_a_release_that_is_too_young_is_not_deployed_for_another_recipe(tmp_path: Path) -> None:
    world = World(tmp_path)
    declare(world, WEEK)
    for name in ("accounts", "notes"):
        world.tag(name, "1.0.0")
    now = rows(world)
    assert (now["accounts"].step.held_back, now["notes"].result) == (HeldBack.TOO_YOUNG, Result.NOT_TRIED)
    assert world.deployed == []
    assert world.records().canonicals == {}
    world.now += WEEK
    assert {row.result for row in rows(world).values()} == {Result.PROMOTED}


def test_a_need_that_is_not_selected_is_not_said_to_have_no_release(tmp_path: Path) -> None:
    world = World(tmp_path)
    declare(world)
    for name in ("accounts", "notes"):
        world.tag(name, "1.0.0")
    [row] = world.run("notes").report.rows
    assert row.outcome is not None
    assert (row.result, row.outcome.reason) == (
        Result.NOT_TRIED,
        "notes needs accounts, which has no canonical: reconcile -r accounts",
    )


def test_explain_names_a_need_that_is_too_young_also_behind_another_need(tmp_path: Path) -> None:
    told = ExplainedWorld.settled(tmp_path)
    told.world.declare("base", minimum_age=WEEK)
    told.world.declare("accounts", install=Install(needs=("base",)))
    told.world.declare("notes", install=Install(needs=("accounts",)))
    for name, version in (("base", "1.0.0"), ("accounts", "1.0.0"), ("notes", "1.1.0+v2")):
        told.world.tag(name, version)
    told.world.run()
    facts = [each.any_of[0].fact for each in told.explain().blockers if each.name == "needs"]
    assert facts == ["base, which it needs, has a release that can be deployed"]
