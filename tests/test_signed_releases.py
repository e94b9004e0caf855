"""Recipes that need signed releases: which one is wanted, what is held back, and what may run as a base or a need."""

from datetime import timedelta
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from desired.model import Install, Upgrade
from desired.releases import Release, Signature
from reconciler.cli.release_to_try import release_to_try
from reconciler.core.observation import Observation, State
from reconciler.core.outcome import Result
from reconciler.core.plan import Action, HeldBack
from reconciler.core.report import ReportBucket, Row, bucket_of
from reconciler.core.trial_base import base_for
from reconciler.core.wanted_release import releases_to_check, want_of
from reconciler.errors import UsageError
from reconciler.stages.observe import observe
from tests.explained_world import ExplainedWorld
from tests.values import canonical, commit, observation
from tests.world import World

A, B, C = commit("a"), commit("b"), commit("c")
TAGS = {"1.0.0": A, "1.1.0": B, "1.2.0": C}
GOOD, REFUSED = Signature(signer="ada (ABCD)"), Signature(fault="the tag has no signature")
CHECKED = st.sampled_from([None, GOOD, REFUSED])


def seen(signatures: dict[str, Signature | None], *, first: bool = False) -> Observation:
    """An observation of three releases, with a canonical at 1.0.0 unless it is the first; None is not checked."""
    base = observation(TAGS, None if first else canonical("1.0.0", A))
    checked = {tag: signature for tag, signature in signatures.items() if signature is not None}
    return evolve(base, recipe=evolve(base.recipe, signed=True), signatures=checked)


@given(CHECKED, CHECKED)
def test_the_newest_release_that_is_not_refused_is_wanted_and_without_one_the_newest(
    older: Signature | None, newest: Signature | None
) -> None:
    want = want_of(seen({"1.1.0": older, "1.2.0": newest}))
    assert isinstance(want, Release)
    assert want.version == ("1.1.0" if newest == REFUSED and older != REFUSED else "1.2.0")


def test_only_releases_that_could_be_tried_are_checked_and_none_if_no_signature_is_needed() -> None:
    newer = seen({})
    assert [each.version for each in releases_to_check(newer)] == ["1.2.0", "1.1.0"]
    assert releases_to_check(evolve(newer, canonical=canonical("1.2.0", C))) == ()
    assert releases_to_check(evolve(newer, recipe=evolve(newer.recipe, signed=False))) == ()
    damaged = evolve(newer, canonical=canonical("1.2.0", C), status=evolve(newer.status, state=State.DAMAGED))
    assert [each.version for each in releases_to_check(damaged)] == ["1.2.0", "1.1.0", "1.0.0"]
    pinned = evolve(newer, recipe=evolve(newer.recipe, upgrade=evolve(newer.recipe.upgrade, base="1.0.0", reason="x")))
    assert [each.version for each in releases_to_check(pinned)] == ["1.2.0", "1.1.0", "1.0.0"]


def test_an_upgrade_starts_from_no_release_without_a_good_signature() -> None:
    head = Release("1.2.0", C)
    base = base_for(seen({"1.2.0": GOOD, "1.1.0": REFUSED}, first=True), head)
    assert (base.release, base.why) == (None, "no older release; releases without a good signature are left out")
    unchecked = base_for(seen({}, first=True), head)
    assert unchecked.why == "no older release; releases whose signature is not checked yet are left out"
    assert base_for(seen({"1.2.0": GOOD, "1.1.0": GOOD}, first=True), head).release == Release("1.1.0", B)
    assert base_for(seen({"1.2.0": GOOD}), head).release == Release("1.0.0", A)


@pytest.mark.parametrize(("checked", "why"), [(REFUSED, REFUSED.fault), (None, "its signature is not checked yet")])
def test_a_pinned_base_that_may_not_run_is_not_called_missing_upstream(checked: Signature | None, why: str) -> None:
    unpinned = seen({"1.2.0": GOOD, "1.1.0": checked})
    pinned = evolve(unpinned.recipe, upgrade=evolve(unpinned.recipe.upgrade, base="1.1.0", reason="x"))
    base = base_for(evolve(unpinned, recipe=pinned), Release("1.2.0", C))
    assert (base.release, base.why) == (None, f"pinned to 1.1.0, which may not run: {why}; without the pin: 1.0.0")


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A canonical at 1.0.0, and 1.1.0 without a signature, where a release has to be signed."""
    world = World.promoted(tmp_path, "notes")
    world.declare("notes", signed=True)
    world.tag("notes", "1.1.0")
    return world


def the_row(world: World, name: str = "notes") -> Row:
    return next(row for row in world.run().report.rows if row.recipe == name)


def test_an_unsigned_release_is_not_tried_and_needs_a_person_until_it_is_signed(world: World) -> None:
    row = the_row(world)
    assert (row.result, row.step.held_back) == (Result.NONE, HeldBack.UNSIGNED)
    assert bucket_of(row) is ReportBucket.NEEDS_PERSON
    assert row.step.reason.endswith("; unsigned: the tag has no signature")
    assert [version for _, version, _ in world.deployed if version == "1.1.0"] == []
    world.signatures[world.origins["notes"].tags["1.1.0"]] = GOOD
    assert "; signed by ada (ABCD)" in world.look().rows[0].step.reason
    assert the_row(world).result is Result.PROMOTED


def test_an_older_signed_release_is_promoted_while_the_newest_is_unsigned(world: World) -> None:
    world.signatures[world.origins["notes"].tags["1.1.0"]] = GOOD
    world.tag("notes", "1.2.0")
    assert the_row(world).result is Result.PROMOTED
    assert world.records().canonicals["notes"].version == "1.1.0"
    assert the_row(world).step.held_back is HeldBack.UNSIGNED


def test_the_upgrade_starts_from_the_pinned_release_however_many_newer_ones_are_signed(world: World) -> None:
    world.declare("notes", signed=True, upgrade=Upgrade("1.1.0", "its data changed there"))
    for version in ("1.2.0", "1.3.0"):
        world.tag("notes", version)
    for tag in ("1.1.0", "1.2.0", "1.3.0"):
        world.signatures[world.origins["notes"].tags[tag]] = GOOD
    assert the_row(world).result is Result.PROMOTED
    have = world.records().canonicals["notes"]
    assert (have.version, have.lineage) == ("1.3.0", ("1.1.0", "1.3.0"))


def test_two_signed_releases_that_are_too_young_do_not_let_an_unsigned_one_pass(tmp_path: Path) -> None:
    world = World.promoted(tmp_path, "notes")
    world.declare("notes", signed=True, minimum_age=timedelta(days=7))
    world.signatures[world.tag("notes", "1.1.0")] = GOOD
    world.tag("notes", "1.2.0")
    world.run()
    world.now += timedelta(days=8)
    for version in ("1.3.0", "1.4.0"):
        world.signatures[world.tag("notes", version)] = GOOD
    assert the_row(world).result is Result.PROMOTED
    assert world.records().canonicals["notes"].version == "1.1.0"


def test_a_damaged_canonical_is_tested_again_from_an_older_signed_release(world: World) -> None:
    world.declare("notes", signed=True)
    for tag in ("1.0.0", "1.1.0"):
        world.signatures[world.origins["notes"].tags[tag]] = GOOD
    assert the_row(world).result is Result.PROMOTED
    for generation in (1, 2):
        (world.state.canonical("notes", generation) / "manifest.json").unlink(missing_ok=True)
    assert the_row(world).result is Result.REPAIRED
    assert world.records().canonicals["notes"].lineage == ("1.0.0", "1.1.0")


def test_a_dry_run_says_that_a_tag_which_is_not_here_yet_is_still_to_be_checked(world: World) -> None:
    step = world.look().rows[0].step
    assert (step.action, step.held_back) == (Action.PROMOTE, None)
    assert "its signature is checked once our mirror has the tag" in step.reason


def test_a_damaged_canonical_whose_tag_is_unsigned_is_not_tested_again(world: World) -> None:
    del world.origins["notes"].tags["1.1.0"]
    (world.state.canonical("notes", 1) / "manifest.json").unlink()
    row = the_row(world)
    assert (row.step.action, row.step.held_back) == (Action.NONE, HeldBack.UNSIGNED)


def test_a_trial_by_hand_tries_an_unsigned_release_only_by_its_name(world: World) -> None:
    world.run()
    seen = observe(world.host(), world.fleet, ["notes"], world.records()).observations["notes"]
    with pytest.raises(UsageError, match=r"nothing to try: 1\.1\.0 is unsigned: the tag has no signature"):
        release_to_try(world.host(), seen, None)
    named = release_to_try(world.host(), seen, "1.1.0")
    world.signatures[named.commit] = GOOD
    assert release_to_try(world.host(), seen, None) == named


def test_no_other_recipe_gets_an_unsigned_release_that_it_needs(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.declare("accounts", signed=True)
    world.declare("notes", install=Install(needs=("accounts",)))
    for name in ("accounts", "notes"):
        world.tag(name, "1.0.0")
    assert the_row(world).result is Result.NOT_TRIED
    assert world.deployed == []
    world.signatures[world.origins["accounts"].tags["1.0.0"]] = GOOD
    assert the_row(world).result is Result.PROMOTED


def test_explain_names_the_refused_signature_and_who_can_change_that(tmp_path: Path) -> None:
    told = ExplainedWorld.settled(tmp_path)
    told.world.declare("notes", signed=True)
    assert {each.name: each.status for each in told.explain().policies}["signed"] == "open"
    told.world.tag("notes", "1.1.0+v2")
    assert "signed" not in [each.name for each in told.explain().blockers]
    told.world.run()
    explanation = told.explain()
    [blocker] = [each for each in explanation.blockers if each.name == "signed"]
    assert [change.by for change in blocker.any_of] == ["you", "upstream", "you"]
    refused = next(each for each in explanation.policies if each.name == "signed")
    assert (refused.status, refused.evidence) == ("fail", "the tag has no signature")
