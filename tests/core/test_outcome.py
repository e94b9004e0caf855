import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.gate import Condition, ConditionStatus
from reconciler.core.outcome import Attempt, Result, is_recorded, is_remembered, judge
from reconciler.core.plan import Action, Step
from tests.core.attempt_strategies import acting_steps
from tests.core.outcome_cases import (
    AFTER,
    AWAY,
    BEFORE,
    BROKEN_OFF_AFTER,
    ERROR,
    FAIL,
    FELL,
    GREEN,
    MISTAKEN,
    MOVED,
    NOT_GREEN,
    PASS,
    PROMOTE,
    PROMOTED,
    REST,
    SKIP,
    TRIAL,
    UNPROMOTED,
    UNTRIED,
    OutcomeCase,
    judged,
    tried,
)
from tests.values import canonical

COLD = Condition("cold", ConditionStatus.FAIL, "tracked files changed: app.py")


def assert_judged(case: OutcomeCase) -> None:
    outcome = judge(case.step, case.attempt, case.back)
    assert outcome.result is case.result, outcome.reason
    assert case.reason in outcome.reason
    assert (outcome.step, outcome.attempt, outcome.have) == (case.step, case.attempt, case.back.canonical)


@pytest.mark.parametrize("case", UNTRIED, ids=lambda case: case.about)
def test_a_step_without_a_trial_names_the_host_or_a_reason(case: OutcomeCase) -> None:
    assert_judged(case)


@pytest.mark.parametrize("case", MISTAKEN, ids=lambda case: case.about)
def test_a_trial_of_anything_else_than_was_wanted_is_a_bug_and_no_verdict(case: OutcomeCase) -> None:
    assert_judged(case)


@pytest.mark.parametrize("case", NOT_GREEN, ids=lambda case: case.about)
def test_a_failed_tier_is_red_and_one_that_the_host_spoiled_is_not(case: OutcomeCase) -> None:
    assert_judged(case)


@pytest.mark.parametrize("case", PROMOTED, ids=lambda case: case.about)
def test_a_tested_release_that_is_read_back_intact_is_promoted(case: OutcomeCase) -> None:
    assert_judged(case)


@pytest.mark.parametrize("case", BROKEN_OFF_AFTER, ids=lambda case: case.about)
def test_a_step_broken_off_right_after_its_record_was_written_did_happen(case: OutcomeCase) -> None:
    assert_judged(case)


@pytest.mark.parametrize("case", UNPROMOTED, ids=lambda case: case.about)
def test_green_without_a_promotion_is_a_result_of_its_own_and_says_why(case: OutcomeCase) -> None:
    assert_judged(case)


REMEMBERED = [
    (tried(PASS, FAIL, upto=2), True),
    (tried(FAIL, upto=1, kept=False), False),
    (tried(ERROR, upto=1), False),
    (tried(upto=3), False),
    (Attempt(untried_reason="held by a trial"), False),
    (Attempt(untried_reason="disk full", host_fault=True), False),
    (evolve(GREEN, promotion_error=FELL), True),
    (evolve(GREEN, promotion_error="disk full", host_fault=True), False),
    (evolve(GREEN, refusals=(AWAY,)), False),
    (evolve(GREEN, refusals=(MOVED,)), False),
    (evolve(GREEN, refusals=(MOVED,), promotion_error="refused"), False),
    (evolve(GREEN, trial=evolve(TRIAL, altered=("app.py",)), refusals=(COLD,)), True),
    (evolve(GREEN, trial=evolve(TRIAL, altered=("app.py",)), refusals=(COLD, AWAY)), True),
    (evolve(GREEN, trial=evolve(TRIAL, slots_were_empty=False), refusals=(COLD,)), False),
    (evolve(GREEN, trial=evolve(TRIAL, tests_unchanged=False), refusals=(COLD,)), False),
    (evolve(GREEN, trial=evolve(TRIAL, altered=("app.py",), tests_unchanged=False), refusals=(COLD,)), False),
    (evolve(GREEN, trial=evolve(TRIAL, tests_unchanged=False), promotion_error="it does not come up"), False),
    (GREEN, False),
]


@pytest.mark.parametrize(("attempt", "remembered"), REMEMBERED)
def test_only_what_the_recipe_did_wrong_is_remembered(attempt: Attempt, *, remembered: bool) -> None:
    assert is_remembered(judge(PROMOTE, attempt, BEFORE)) is remembered


def test_a_promotion_is_not_remembered_as_a_red() -> None:
    assert not is_remembered(judge(PROMOTE, GREEN, AFTER))
    assert not is_remembered(judge(PROMOTE, evolve(GREEN, promotion_error="EIO"), AFTER))
    assert not is_remembered(judge(REST, Attempt(), BEFORE))


def test_a_canonical_of_another_trial_does_not_count_as_recorded() -> None:
    assert is_recorded(TRIAL, AFTER)
    assert not is_recorded(TRIAL, BEFORE)
    assert not is_recorded(evolve(TRIAL, id="trial-2"), AFTER)


@given(acting_steps(), st.data())
def test_promoted_means_green_not_refused_and_recorded_by_this_trial(step: Step, data: st.DataObject) -> None:
    outcome, back = judged(data, step)
    if outcome.result not in {Result.PROMOTED, Result.REPAIRED} or step.release is None:
        return
    made, have = outcome.attempt.trial, back.canonical
    assert have is not None
    assert (have.recipe, have.version, have.commit) == (step.recipe, step.release.version, step.release.commit)
    assert back.damage == ""
    assert outcome.result is (Result.REPAIRED if step.action is Action.RETEST else Result.PROMOTED)
    if made is None:
        assert step.finding.have is None or have.generation > step.finding.have.generation
        return
    assert have.evidence.trial == made.id
    assert outcome.attempt.refusals == ()
    assert len(made.tiers) == 5
    assert {each.verdict for each in made.tiers} <= {PASS, SKIP}


@given(acting_steps(), st.data())
def test_data_is_called_lived_only_where_a_check_or_a_recorded_upgrade_proved_it(
    step: Step, data: st.DataObject
) -> None:
    outcome, back = judged(data, step)
    if "lived through" not in outcome.reason.partition("; ")[0] or back.canonical is None:
        return
    tiers_recorded = {(each.name, each.verdict) for each in back.canonical.evidence.tiers}
    made = outcome.attempt.trial
    assert ("upgrade", "pass") in tiers_recorded or (made is not None and made.checks_data)


@given(acting_steps(), st.data())
def test_a_recipe_for_which_every_condition_holds_is_promoted(step: Step, data: st.DataObject) -> None:
    outcome, back = judged(data, step)
    made, release = outcome.attempt.trial, step.release
    if made is None or release is None or outcome.attempt.refusals or back.damage or made.release != release:
        return
    exactly = evolve(canonical(release.version, release.commit, step.recipe, made.id))
    passed = made.tiers[0].verdict is PASS and len(made.tiers) == 5 and made.tiers[-1].verdict in {PASS, SKIP}
    if passed and back.canonical == exactly:
        assert outcome.result in {Result.PROMOTED, Result.REPAIRED}


@given(acting_steps(), st.data())
def test_red_and_remembered_blame_only_what_was_wanted_and_tried(step: Step, data: st.DataObject) -> None:
    outcome, _ = judged(data, step)
    made = outcome.attempt.trial
    if outcome.result is Result.RED or is_remembered(outcome):
        assert made is not None
        assert (made.recipe, made.release) == (step.recipe, step.release)
        assert ERROR not in {each.verdict for each in made.tiers}
    assert outcome.reason


@given(acting_steps(), st.data())
def test_a_fault_of_the_host_never_blocks_the_next_try_of_what_passed(step: Step, data: st.DataObject) -> None:
    outcome, back = judged(data, step)
    faulty = judge(step, evolve(outcome.attempt, host_fault=True), back)
    if faulty.result is not Result.RED:
        assert not is_remembered(faulty)


@given(acting_steps(), st.data())
def test_a_step_without_an_action_has_no_verdict(step: Step, data: st.DataObject) -> None:
    outcome, back = judged(data, step)
    rest = evolve(step, action=Action.NONE, release=None)
    hindered = judge(rest, outcome.attempt, back)
    assert hindered.result in {Result.NONE, Result.INFRASTRUCTURE, Result.NOT_TRIED}
    assert judge(rest, evolve(outcome.attempt, untried_reason=""), back).result is Result.NONE


@given(acting_steps(), st.data())
def test_a_redeployment_is_repaired_exactly_if_it_is_up_and_its_record_is_intact(
    step: Step, data: st.DataObject
) -> None:
    outcome, back = judged(data, step)
    if step.action is not Action.REDEPLOY or outcome.attempt.untried_reason:
        return
    up = back.canonical is not None and back.has_mirror and not (back.damage or back.down)
    assert outcome.result is (Result.REPAIRED if up else Result.INFRASTRUCTURE)
    assert not is_remembered(outcome)
