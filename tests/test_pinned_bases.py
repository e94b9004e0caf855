"""Upgrades that start from the release which `[upgrade] base` pins, and what is said if it cannot be used."""

from pathlib import Path

import pytest
from attrs import evolve

from desired.model import TierName, Upgrade
from desired.releases import Release, Unobservable
from reconciler.core.observation import Observation
from reconciler.core.outcome import Outcome, Result
from reconciler.core.tier_results import Skip, Verdict, level
from reconciler.core.trial_base import base_for
from tests.values import answer, canonical, commit, observation
from tests.world import Behaviour, World

A, B, C = commit("a"), commit("b"), commit("c")
HEAD = Release("2.0.0", C)
BREAKS_OLD_DATA = Behaviour(breaks_lived=True)


def pinned_to(base: str, seen: Observation, allow: str = "*") -> Observation:
    return evolve(seen, recipe=evolve(seen.recipe, allow=allow, upgrade=Upgrade(base, "its data changed there")))


def moved(tags: dict[str, str | None], before: dict[str, str]) -> Observation:
    """An observation of `tags`, where passes remember `before`."""
    return observation(tags, before=before)


@pytest.mark.parametrize("allow", ["*", ">=1.1.0", ">=2.0.0"])
@pytest.mark.parametrize("tags", [("1.0.0",), ("v1.0.0",), ("1.0.0", "v1.0.0")])
@pytest.mark.parametrize("base", ["1.0.0", "v1.0.0"])
def test_a_pinned_release_is_found_whatever_is_allowed_and_however_it_is_spelled(
    base: str, tags: tuple[str, ...], allow: str
) -> None:
    found = base_for(pinned_to(base, observation({**dict.fromkeys(tags, A), "1.1.0": B, "2.0.0": C}), allow), HEAD)
    assert found.release is not None, found.why
    assert found.release.commit == A
    assert found.release.version in tags
    assert found.why.startswith(f"pinned to {base} (its data changed there); ")


def test_a_pin_means_the_tag_of_its_own_spelling_if_its_version_has_two_commits() -> None:
    tags = {"1.0.0": A, "v1.0.0": B, "2.0.0": C}
    assert base_for(pinned_to("1.0.0", observation(tags)), HEAD).release == Release("1.0.0", A)
    assert base_for(pinned_to("v1.0.0", observation(tags)), HEAD).release == Release("v1.0.0", B)


def test_a_pin_to_the_canonical_by_another_spelling_keeps_its_data() -> None:
    tags, have = {"1.0.0": A, "v1.0.0": A, "2.0.0": C}, canonical("v1.0.0", A)
    found = base_for(pinned_to("1.0.0", observation(tags, have)), HEAD)
    assert (found.release, found.generation) == (Release("v1.0.0", A), have.generation)


UNUSABLE = [
    (observation({"1.1.0": B, "2.0.0": C}), "is no single release upstream"),
    (observation({"1.0.0": None, "2.0.0": C}), "is no single release upstream"),
    (moved({"1.0.0": B, "2.0.0": C}, {"1.0.0": A}), "was moved upstream, which nobody accepted"),
    (observation(Unobservable("timeout")), "cannot be looked up upstream: timeout"),
]


@pytest.mark.parametrize(("seen", "flaw"), UNUSABLE)
@pytest.mark.parametrize("allow", ["*", ">=2.0.0"])
def test_a_pin_that_cannot_be_used_is_no_lack_of_older_releases(seen: Observation, flaw: str, allow: str) -> None:
    base = base_for(pinned_to("1.0.0", seen, allow), HEAD)
    assert base.release is None
    assert base.is_unusable
    assert base.why.startswith(f"pinned to 1.0.0, which {flaw}; without the pin: ")


def test_a_pin_that_is_not_older_is_no_lack_of_older_releases_where_there_is_one() -> None:
    tags: dict[str, str | None] = {"1.0.0": A, "2.0.0": C}
    assert base_for(pinned_to("2.0.0", observation(tags)), HEAD).is_unusable
    assert not base_for(pinned_to("2.0.0", observation({"2.0.0": C})), HEAD).is_unusable


def older_left_out() -> list[tuple[Observation, str]]:
    """Observations of one older release that may not run, each with why not."""
    unsigned = observation({"1.0.0": A, "2.0.0": C})
    return [
        (
            observation({"1.0.0": A, "v1.0.0": B, "2.0.0": C}),
            "no older release; versions with tags on different commits are left out",
        ),
        (moved({"1.0.0": B, "2.0.0": C}, {"1.0.0": A}), "no older release; releases whose tag was moved are left out"),
        (
            evolve(unsigned, recipe=evolve(unsigned.recipe, signed=True)),
            "no older release; releases whose signature is not checked yet are left out",
        ),
    ]


@pytest.mark.parametrize(("seen", "why"), older_left_out())
def test_an_older_release_that_may_not_run_is_no_lack_of_older_releases(seen: Observation, why: str) -> None:
    base = base_for(seen, HEAD)
    assert (base.release, base.is_unusable, base.why) == (None, True, why)
    newer_alone = base_for(evolve(seen, answer=answer({"2.0.0": C, "3.0.0": B, "v3.0.0": A})), HEAD)
    assert (newer_alone.release, newer_alone.is_unusable) == (None, False)


# ---- in a pass ----


def the_outcome(world: World) -> Outcome:
    [row] = world.run().report.rows
    assert row.outcome is not None
    return row.outcome


def pinned_world(root: Path, base: str, allow: str = "*") -> World:
    world = World(root)
    world.declare("notes", allow=allow, upgrade=Upgrade(base, "its data changed there"))
    return world


@pytest.mark.parametrize(("base", "allow"), [("1.0.0", "*"), ("1.0.0", ">=2.0.0"), ("v1.0.0", "*"), ("v1.0.0", ">=2")])
def test_a_release_that_breaks_the_data_of_the_pinned_one_is_red(tmp_path: Path, base: str, allow: str) -> None:
    world = pinned_world(tmp_path, base, allow)
    world.origins["notes"].tags["v1.0.0"] = world.tag("notes", "1.0.0")
    world.tag("notes", "2.0.0", BREAKS_OLD_DATA)
    assert the_outcome(world).result is Result.RED
    assert world.records().canonicals == {}


@pytest.mark.parametrize("allow", ["*", ">=2.0.0"])
def test_an_upgrade_whose_pin_is_gone_counts_against_the_level(tmp_path: Path, allow: str) -> None:
    world = pinned_world(tmp_path, "1.0.0", allow)
    world.tag("notes", "2.0.0")
    trial = the_outcome(world).attempt.trial
    assert trial is not None
    [upgrade] = [tier for tier in trial.tiers if tier.name is TierName.UPGRADE]
    assert (upgrade.verdict, upgrade.skip) == (Verdict.SKIP, Skip.BASE_UNUSABLE)
    assert level(trial.tiers) == "4/5"


def test_a_pinned_release_that_was_moved_is_not_deployed_and_counts_against_the_level(tmp_path: Path) -> None:
    world = pinned_world(tmp_path, "1.0.0")
    world.tag("notes", "1.0.0", Behaviour(starts=False))
    world.run()
    other = world.tag("notes", "1.0.0")
    world.tag("notes", "2.0.0")
    assert the_outcome(world).result is Result.PROMOTED
    assert other not in [at for _, _, at in world.deployed]
    assert world.records().canonicals["notes"].evidence.level == "4/5"
