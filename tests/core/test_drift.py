"""Since when a recipe differs: from the findings of one pass to those of the next."""

from datetime import timedelta

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.drift import (
    MIRROR_BEHIND,
    MIRROR_MISSING,
    MIRROR_UNREADABLE,
    SIDES,
    DriftSide,
    differences,
    drift_changes,
    without_findings,
)
from reconciler.core.findings import Cause, Finding, MirrorState
from reconciler.core.observation import CanonicalStatus, State
from state.drift_record import DriftRecord
from tests.values import NOW, canonical_of, finding

LATER = NOW + timedelta(days=1)
FINDINGS = st.builds(
    lambda cause, state, mirror, unreadable: evolve(
        finding(cause=cause, state=state), mirror=mirror, unreadable=unreadable
    ),
    st.sampled_from(Cause),
    st.sampled_from(State),
    st.sampled_from(MirrorState),
    st.sampled_from(("", "not a repository")),
)


def whats(seen: Finding) -> list[str]:
    return [each.what for each in differences(seen)]


def record_after(seen: Finding, before: DriftRecord | None = None) -> DriftRecord | None:
    known = {} if before is None else {before.recipe: before}
    changes = drift_changes([seen], known, NOW if before is None else LATER)
    return changes[0].record if changes else before


def test_a_recipe_that_is_in_sync_and_intact_has_no_difference() -> None:
    assert differences(finding()) == ()


def test_a_new_release_moves_what_is_desired_and_damage_what_is_there() -> None:
    both = finding(cause=Cause.NEW_RELEASE, state=State.DAMAGED)
    assert [(each.side, each.what) for each in differences(both)] == [
        (DriftSide.DESIRED, "new-release"),
        (DriftSide.ACTUAL, "damaged"),
    ]


def test_a_mirror_that_was_never_fetched_is_no_difference_without_a_canonical() -> None:
    missing = evolve(finding(cause=Cause.FIRST_RELEASE, state=State.NONE), mirror=MirrorState.MISSING)
    assert whats(missing) == ["first-release"]
    assert whats(evolve(missing, have=canonical_of("notes"))) == ["first-release", MIRROR_MISSING]
    assert whats(evolve(missing, unreadable="no HEAD")) == ["first-release", MIRROR_UNREADABLE]
    assert whats(evolve(missing, mirror=MirrorState.BEHIND)) == ["first-release", MIRROR_BEHIND]


@given(FINDINGS)
def test_every_difference_has_a_side_and_a_word_of_its_own(seen: Finding) -> None:
    found = differences(seen)
    assert {each.what for each in found} <= SIDES.keys()
    assert len({each.what for each in found}) == len(found)


@given(FINDINGS, FINDINGS)
def test_a_difference_keeps_its_time_until_it_ends_and_gets_a_new_time_when_it_returns(
    first: Finding, then: Finding
) -> None:
    before = record_after(first) or DriftRecord("notes", {})
    after = record_after(then, before) or DriftRecord("notes", {})
    for what in whats(then):
        assert after.since[what] == (NOW if what in before.since else LATER)
    unseen = {Cause.UNOBSERVABLE: DriftSide.DESIRED}.get(then.cause)
    hidden = {unseen, DriftSide.ACTUAL if then.status.state is State.UNKNOWN else None}
    gone = before.since.keys() - set(whats(then))
    assert {what for what in gone if what in after.since} == {what for what in gone if SIDES[what] in hidden}


@given(FINDINGS)
def test_looking_twice_at_the_same_changes_nothing(seen: Finding) -> None:
    before = record_after(seen)
    assert drift_changes([seen], {"notes": before} if before else {}, LATER) == ()


def test_an_outage_of_upstream_does_not_reset_since_when_a_release_is_wanted() -> None:
    waiting = record_after(finding(cause=Cause.NEW_RELEASE))
    away = record_after(evolve(finding(cause=Cause.UNOBSERVABLE), status=CanonicalStatus(State.INTACT)), waiting)
    assert away is not None
    assert away.since == {"new-release": NOW, "unobservable": LATER}


def test_a_recipe_without_a_finding_has_no_drift_any_more() -> None:
    gone = DriftRecord("gone", {"first-release": NOW})
    [change] = without_findings([finding()], {"gone": gone, "notes": DriftRecord("notes", {"damaged": NOW})})
    assert (change.record, change.ended) == (DriftRecord("gone", {}), ("first-release",))
