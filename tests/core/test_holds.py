from datetime import date, timedelta

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from desired.releases import Unobservable
from reconciler.core.findings import compare
from reconciler.core.gate import ConditionStatus, unheld
from reconciler.core.holds import hold_in_effect, newest_left, recorded_decisions, rollback_text
from reconciler.core.observation import CanonicalStatus, Observation, State
from reconciler.core.plan import Action, HeldBack, Step, make_plan
from state.decisions import Hold, Rollback
from state.records import Records
from tests.strategies import RANK, observations
from tests.values import AROUND, EARLIER, canonical, circumstances, commit, observation, red

A, B, C = commit("a"), commit("b"), commit("c")
HAVE = canonical("1.0.0", A)
TODAY = AROUND.today
ON_HOLD = Hold("notes", "the fair", "maria", EARLIER)
BACK = Rollback("notes", "1.1.0 loses mails", "tom", EARLIER, "1.0.0", "1.1.0", "1.1.0")
NEW = observation({"1.0.0": A, "1.1.0": B}, HAVE)
NEWER = observation({"1.0.0": A, "1.1.0": B, "1.2.0": C}, HAVE)


def planned(seen: Observation) -> Step:
    return make_plan(compare({"notes": seen}, {}), {"notes": seen}, AROUND).steps["notes"]


def held(seen: Observation) -> Observation:
    return evolve(seen, hold=ON_HOLD)


def rolled_back(seen: Observation) -> Observation:
    return evolve(seen, rollback=BACK)


def damaged(seen: Observation) -> Observation:
    return evolve(seen, status=CanonicalStatus(State.DAMAGED, "snapshot.tar is shorter"))


def down(seen: Observation) -> Observation:
    return evolve(seen, status=CanonicalStatus(State.DOWN, "service app is gone"))


# ---- on hold ----


def test_a_hold_names_its_author_its_end_its_reason_and_what_waits_since_when() -> None:
    assert planned(held(NEWER)).reason == (
        "1.2.0 was released after 1.0.0; on hold by maria since 2026-02-21, until: reconcile resume notes (the fair); "
        "2 releases wait, the oldest (1.1.0) since 2026-02-21"
    )
    ends = evolve(NEW, hold=evolve(ON_HOLD, until=date(2026, 3, 9)))
    assert "until 2026-03-09 (the fair); 1.1.0 waits since 2026-02-21" in planned(ends).reason


def test_a_red_release_on_hold_needs_no_person() -> None:
    was_red = evolve(NEW, memory=evolve(NEW.memory, reds={"1.1.0": red("1.1.0", circumstances(B))}))
    assert planned(was_red).needs_person
    step = planned(held(was_red))
    assert (step.held_back, step.needs_person) == (HeldBack.HELD, False)


def test_a_moved_tag_stays_quarantined_on_hold_and_asks_a_person() -> None:
    step = planned(held(observation({"1.0.0": B}, HAVE, {"1.0.0": A})))
    assert (step.held_back, step.needs_person) == (HeldBack.QUARANTINED, True)
    assert "on hold by maria" in step.reason


def test_a_deployment_that_is_down_is_raised_on_hold_and_its_release_is_not_tried() -> None:
    step = planned(held(down(NEW)))
    assert (step.action, step.release, step.held_back) == (Action.REDEPLOY, None, HeldBack.HELD)


@pytest.mark.parametrize(("days", "action"), [(-1, Action.PROMOTE), (0, Action.PROMOTE), (1, Action.NONE)])
def test_a_release_is_tried_from_the_day_of_the_end_on_and_the_plan_says_that_the_hold_ended(
    days: int, action: Action
) -> None:
    step = planned(evolve(NEW, hold=evolve(ON_HOLD, until=TODAY + timedelta(days))))
    assert step.action is action
    ended = f"its hold by maria ended on {TODAY + timedelta(days)} (the fair); 1.1.0 was released after 1.0.0"
    assert (step.reason == ended) is (action is Action.PROMOTE)


@given(observations(), st.sampled_from(((), ("notes",))))
def test_nothing_is_tried_on_hold_and_cause_state_and_mirror_are_shown(seen: Observation, retry: tuple[str]) -> None:
    around = evolve(AROUND, retry=retry)
    free = planned(seen)
    step = make_plan(compare({"notes": seen}, {}), {"notes": held(seen)}, around).steps["notes"]
    assert (step.release, step.circumstances) == (None, None)
    assert step.action in {Action.NONE, Action.REFETCH, Action.REDEPLOY}
    assert step.finding == free.finding
    assert step.held_back in {HeldBack.HELD, HeldBack.EXCEPTED, HeldBack.QUARANTINED}
    assert ("on hold by maria" in step.reason) is seen.recipe.enrolled
    if free.release is None and free.held_back is not HeldBack.RED_BEFORE:
        assert (step.action, step.needs_person) == (free.action, free.needs_person)


@given(observations())
def test_just_the_releases_newer_than_the_canonical_wait(seen: Observation) -> None:
    step = planned(held(seen))
    if step.hold is None:
        return
    newest = [RANK[tag] for tag in step.hold.waiting]
    assert newest == sorted(set(newest))
    assert all(seen.canonical is None or RANK[seen.canonical.version] < rank for rank in newest)
    assert not isinstance(seen.answer, Unobservable) or newest == []


# ---- rolled back ----


def test_the_release_that_was_left_is_not_tried_again_and_says_what_would_end_that() -> None:
    step = planned(rolled_back(NEW))
    assert (step.action, step.held_back, step.needs_person) == (Action.NONE, HeldBack.HELD, False)
    assert step.reason == (
        "1.1.0 was released after 1.0.0; rolled back from 1.1.0 to 1.0.0 by tom on 2026-02-21, until a release newer "
        "than 1.1.0, or: reconcile resume notes (1.1.0 loses mails); 1.1.0 waits since 2026-02-21"
    )


def test_a_release_newer_than_the_one_left_is_tried() -> None:
    step = planned(rolled_back(NEWER))
    assert (step.action, step.hold) == (Action.PROMOTE, None)
    assert step == planned(NEWER)


def test_a_damaged_canonical_of_a_rollback_is_tested_again_at_its_own_release() -> None:
    step = planned(rolled_back(damaged(NEW)))
    assert step.release is not None
    assert (step.action, step.release.version, step.needs_person) == (Action.RETEST, "1.0.0", False)
    assert "rolled back from 1.1.0" in step.reason
    assert planned(held(rolled_back(damaged(NEW)))).action is Action.NONE


def test_a_rollback_to_a_release_that_was_left_earlier_names_the_release_that_it_left() -> None:
    forward = evolve(BACK, version="1.1.0", from_version="1.0.0")
    assert rollback_text(forward).startswith("rolled back from 1.0.0 to 1.1.0 by tom on 2026-02-21, until ")
    of_earlier_canon = rollback_text(evolve(forward, from_version=""))
    assert of_earlier_canon.startswith("rolled back to 1.1.0 by tom on 2026-02-21, until a release newer than 1.1.0, ")


def test_going_back_twice_leaves_the_newest_of_both() -> None:
    assert newest_left(None, "1.1.0") == "1.1.0"
    assert newest_left(BACK, "1.0.0") == "1.1.0"
    assert newest_left(BACK, "1.2.0") == "1.2.0"


@given(observations())
def test_a_rollback_keeps_back_only_what_is_no_newer_than_the_release_left(seen: Observation) -> None:
    left = max(RANK, key=lambda tag: RANK[tag])
    step = planned(evolve(seen, rollback=evolve(BACK, left=left)))
    assert step.action is not Action.PROMOTE
    if step.release is not None and seen.canonical is not None:
        assert RANK[step.release.version] == RANK[seen.canonical.version]


# ---- recorded ----


def test_the_records_alone_show_what_is_in_effect() -> None:
    ended = evolve(ON_HOLD, until=TODAY)
    at_old = Records({"notes": HAVE}, holds={"notes": ended}, rollbacks={"notes": BACK})
    found = recorded_decisions(at_old, "notes", TODAY)
    assert found is not None
    assert (found.hold, found.ended, found.rollback) == (None, ended, BACK)
    past = Records({"notes": canonical("1.2.0", C)}, rollbacks={"notes": BACK})
    assert recorded_decisions(past, "notes", TODAY) is None
    assert recorded_decisions(at_old, "wiki", TODAY) is None


def test_the_gate_has_one_more_condition_on_hold_and_it_fails() -> None:
    assert unheld(None) == ()
    assert hold_in_effect(evolve(ON_HOLD, until=TODAY), TODAY) is None
    assert [each.status for each in unheld(ON_HOLD)] == [ConditionStatus.FAIL]
