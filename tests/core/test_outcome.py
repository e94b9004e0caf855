import pytest
from attrs import evolve, frozen
from hypothesis import given
from hypothesis import strategies as st

from desired.model import Release
from reconciler.core.findings import Cause
from reconciler.core.gate import Condition, ConditionStatus
from reconciler.core.observation import State
from reconciler.core.outcome import Attempt, Outcome, ReadBack, Result, is_recorded, is_remembered, judge
from reconciler.core.plan import Action, Step
from reconciler.core.tier_results import Verdict
from state.records import TierRecord
from tests.core.attempt_strategies import acting_steps, attempts, read_backs
from tests.values import canonical, circumstances, commit, finding, tiers, trial

A, B = commit("a"), commit("b")
WANTED = Release("1.1.0", B)
OLD = canonical("1.0.0", A)
NEW = evolve(canonical("1.1.0", B, trial="trial-1"), generation=2, lineage=("1.0.0", "1.1.0"))
UPGRADED = evolve(NEW, evidence=evolve(NEW.evidence, tiers=(TierRecord("upgrade", "pass", "", 1.0),)))
FRESH = evolve(NEW, lineage=("1.1.0",))
TRIAL = evolve(trial(WANTED), checks_data=True)
UNCHECKED = evolve(TRIAL, checks_data=False)
MOVED = Condition("tagged", ConditionStatus.FAIL, "1.1.0 now names 6300000; 6200000 was tested")
COLD = Condition("cold", ConditionStatus.FAIL, "tracked files changed: app.py")
AWAY = Condition("at-home", ConditionStatus.FAIL, "run: systemctl start reconcile.service")
FELL = "the candidate does not come up: exited 1"

NEW_RELEASE = evolve(finding(cause=Cause.NEW_RELEASE), have=OLD)
PROMOTE = Step(NEW_RELEASE, Action.PROMOTE, "1.1.0 was released", WANTED, circumstances=circumstances(B))
FIRST = evolve(PROMOTE, finding=evolve(NEW_RELEASE, have=None))
RETEST = evolve(PROMOTE, action=Action.RETEST, finding=evolve(finding(state=State.DAMAGED), have=OLD))
# Its second generation is damaged, and the first intact.
SECOND = evolve(OLD, version="1.0.5", generation=2, lineage=("1.0.0", "1.0.5"))
RETEST_OVER = evolve(PROMOTE, action=Action.RETEST, finding=evolve(RETEST.finding, have=SECOND, older_intact=OLD))
REPAIRED = evolve(UPGRADED, generation=3)
BEGUN_ANEW = evolve(FRESH, generation=3)
REFETCH = Step(finding(), Action.REFETCH, "the mirror is missing")
REDEPLOY = Step(evolve(finding(state=State.DOWN), have=OLD), Action.REDEPLOY, "its deployment is down")
REST = Step(finding(), Action.NONE, "canonical is at the newest release 1.0.0")


@frozen
class OutcomeCase:
    """What was to be done, what was done and what is there afterwards; the label that follows."""

    about: str
    step: Step
    attempt: Attempt
    back: ReadBack
    result: Result
    reason: str


def tried(*verdicts: Verdict, upto: int = 5, kept: bool = True) -> Attempt:
    return Attempt(evolve(TRIAL, tiers=tiers(*verdicts)[:upto], tests_unchanged=kept))


GREEN = Attempt(TRIAL)
PASS, FAIL, SKIP, ERROR = Verdict.PASS, Verdict.FAIL, Verdict.SKIP, Verdict.ERROR
BEFORE, AFTER = ReadBack(OLD), ReadBack(NEW)
WHOLE = ReadBack(OLD, has_mirror=True)
REFUSED = Attempt(untried_reason="refused", host_fault=True)
BROKEN_OFF = Attempt(untried_reason="interrupted by signal 15")
TOLD = "1.1.0 (6200000), data lived through 1.0.0 → 1.1.0, read back"
UNPROVED = "no [data] check proves the data, read back"

UNTRIED = [
    OutcomeCase("nothing to do", REST, Attempt(), BEFORE, Result.NONE, "canonical is at the newest release 1.0.0"),
    OutcomeCase(
        "mirror fetched", REFETCH, Attempt(), ReadBack(OLD, has_mirror=True), Result.REPAIRED, "there again, read back"
    ),
    OutcomeCase("mirror not fetched", REFETCH, Attempt(), ReadBack(OLD), Result.INFRASTRUCTURE, "still no mirror"),
    OutcomeCase("mirror refused", REFETCH, REFUSED, ReadBack(OLD), Result.INFRASTRUCTURE, "refused"),
    OutcomeCase("mirror behind and refused", REST, REFUSED, BEFORE, Result.INFRASTRUCTURE, "refused"),
    OutcomeCase(
        "mirror not asked for", REFETCH, Attempt(untried_reason="interrupted"), BEFORE, Result.NOT_TRIED, "interrupted"
    ),
    OutcomeCase("raised", REDEPLOY, Attempt(), WHOLE, Result.REPAIRED, "1.0.0 is up again"),
    OutcomeCase("raised, mirror refused", REDEPLOY, REFUSED, WHOLE, Result.INFRASTRUCTURE, "refused"),
    OutcomeCase(
        "not raised", REDEPLOY, Attempt(), evolve(WHOLE, down="app is gone"), Result.INFRASTRUCTURE, "down: app is"
    ),
    OutcomeCase(
        "not recorded", REDEPLOY, Attempt(), evolve(WHOLE, canonical=None), Result.INFRASTRUCTURE, "nothing is recorded"
    ),
    OutcomeCase(
        "raised, damaged", REDEPLOY, Attempt(), evolve(WHOLE, damage="shorter"), Result.INFRASTRUCTURE, "down: shorter"
    ),
    OutcomeCase("raised, no mirror", REDEPLOY, Attempt(), ReadBack(OLD), Result.INFRASTRUCTURE, "still no mirror"),
    OutcomeCase("raising broken off", REDEPLOY, BROKEN_OFF, WHOLE, Result.NOT_TRIED, "interrupted"),
    OutcomeCase(
        "slot busy", PROMOTE, Attempt(untried_reason="held by a trial"), BEFORE, Result.NOT_TRIED, "held by a trial"
    ),
    OutcomeCase("broken off", PROMOTE, Attempt(untried_reason="interrupted"), BEFORE, Result.NOT_TRIED, "interrupted"),
    OutcomeCase(
        "disk full",
        PROMOTE,
        Attempt(None, untried_reason="full", host_fault=True),
        BEFORE,
        Result.INFRASTRUCTURE,
        "full",
    ),
]

MISTAKEN = [
    OutcomeCase(
        "version", PROMOTE, Attempt(trial(Release("1.0.9", B))), AFTER, Result.INFRASTRUCTURE, "a bug: notes 1.0.9"
    ),
    OutcomeCase(
        "commit", PROMOTE, Attempt(trial(Release("1.1.0", A))), AFTER, Result.INFRASTRUCTURE, "was tried instead"
    ),
    OutcomeCase(
        "recipe", PROMOTE, Attempt(trial(WANTED, "gitea")), AFTER, Result.INFRASTRUCTURE, "a bug: gitea 1.1.0 was"
    ),
]

NOT_GREEN = [
    OutcomeCase(
        "fail", PROMOTE, tried(PASS, FAIL, upto=2), BEFORE, Result.RED, "1.1.0: upgrade failed: upgrade said fail"
    ),
    OutcomeCase("first fail", PROMOTE, tried(FAIL, upto=1), BEFORE, Result.RED, "1.1.0: install failed"),
    OutcomeCase("repair fails", RETEST, tried(PASS, FAIL, upto=2), BEFORE, Result.RED, "1.1.0: upgrade failed"),
    OutcomeCase(
        "error", PROMOTE, tried(ERROR, upto=1), BEFORE, Result.INFRASTRUCTURE, "1.1.0: install could not be judged"
    ),
    OutcomeCase("broken off", PROMOTE, tried(upto=3), BEFORE, Result.NOT_TRIED, "not every tier was reached"),
    OutcomeCase("fail, though recorded", PROMOTE, tried(PASS, FAIL, upto=2), AFTER, Result.RED, "upgrade failed"),
]

PROMOTED = [
    OutcomeCase("new release", PROMOTE, GREEN, AFTER, Result.PROMOTED, TOLD),
    OutcomeCase("repair", RETEST, GREEN, AFTER, Result.REPAIRED, TOLD),
    OutcomeCase("with skips", PROMOTE, tried(PASS, SKIP, SKIP, SKIP, SKIP), AFTER, Result.PROMOTED, TOLD),
    OutcomeCase(
        "broken later",
        PROMOTE,
        evolve(GREEN, promotion_error="EIO"),
        AFTER,
        Result.PROMOTED,
        f"{TOLD}; afterwards: EIO",
    ),
    OutcomeCase("unchecked", PROMOTE, Attempt(UNCHECKED), AFTER, Result.PROMOTED, f"data of 1.0.0, and {UNPROVED}"),
    OutcomeCase(
        "unchecked repair", RETEST, Attempt(UNCHECKED), AFTER, Result.REPAIRED, f"data of 1.0.0, and {UNPROVED}"
    ),
    OutcomeCase(
        "unchecked first", FIRST, Attempt(UNCHECKED), ReadBack(FRESH), Result.PROMOTED, f"fresh, and {UNPROVED}"
    ),
]

BROKEN_OFF_AFTER = [
    OutcomeCase(
        "new", PROMOTE, BROKEN_OFF, ReadBack(UPGRADED), Result.PROMOTED, f"{TOLD}; afterwards: interrupted by signal 15"
    ),
    OutcomeCase("repaired", RETEST, BROKEN_OFF, ReadBack(UPGRADED), Result.REPAIRED, TOLD),
    OutcomeCase(
        "over an older one", RETEST_OVER, BROKEN_OFF, ReadBack(REPAIRED), Result.REPAIRED, "goes on from generation 1"
    ),
    OutcomeCase("begun anew", RETEST_OVER, BROKEN_OFF, ReadBack(BEGUN_ANEW), Result.REPAIRED, "1.0.0 → 1.0.5 is lost"),
    OutcomeCase("first", FIRST, BROKEN_OFF, ReadBack(FRESH), Result.PROMOTED, "1.1.0 (6200000), read back; afterwards"),
    OutcomeCase(
        "recorded before", PROMOTE, BROKEN_OFF, ReadBack(evolve(NEW, generation=1)), Result.NOT_TRIED, "interrupted"
    ),
    OutcomeCase("another version", FIRST, BROKEN_OFF, ReadBack(OLD), Result.NOT_TRIED, "interrupted"),
    OutcomeCase("another commit", FIRST, BROKEN_OFF, ReadBack(evolve(NEW, commit=A)), Result.NOT_TRIED, "interrupted"),
    OutcomeCase("damaged", PROMOTE, BROKEN_OFF, ReadBack(NEW, "shorter"), Result.NOT_TRIED, "interrupted"),
]

NOWHERE = "the registry, read again, does not have the tested release"


def unpromoted(about: str, back: ReadBack, reason: str, attempt: Attempt = GREEN) -> OutcomeCase:
    return OutcomeCase(about, PROMOTE, attempt, back, Result.GREEN_NOT_PROMOTED, f"green, not promoted: {reason}")


UNPROMOTED = [
    unpromoted("nothing recorded", ReadBack(None), NOWHERE),
    unpromoted("still the old one", BEFORE, NOWHERE),
    unpromoted("another trial's", ReadBack(canonical("1.1.0", B, trial="trial-0")), NOWHERE),
    unpromoted("another commit", ReadBack(canonical("1.1.0", A, trial="trial-1")), NOWHERE),
    unpromoted("another version", ReadBack(canonical("1.0.9", B, trial="trial-1")), NOWHERE),
    unpromoted("another recipe's", ReadBack(canonical("1.1.0", B, "gitea", "trial-1")), NOWHERE),
    unpromoted("snapshot damaged", ReadBack(NEW, "snapshot.tar is shorter"), "snapshot.tar is shorter"),
    unpromoted("refused", BEFORE, str(MOVED), Attempt(TRIAL, refusals=(MOVED,))),
    unpromoted("refused twice", BEFORE, f"{MOVED}; {AWAY}", Attempt(TRIAL, refusals=(MOVED, AWAY))),
    unpromoted("refused, though recorded", AFTER, str(MOVED), Attempt(TRIAL, refusals=(MOVED,))),
    unpromoted("candidate fell", BEFORE, FELL, evolve(GREEN, promotion_error=FELL)),
    unpromoted("refused and broken", BEFORE, f"{MOVED}; EIO", Attempt(TRIAL, refusals=(MOVED,), promotion_error="EIO")),
]


def assert_judged(case: OutcomeCase) -> None:
    outcome = judge(case.step, case.attempt, case.back)
    assert outcome.result is case.result, outcome.reason
    assert case.reason in outcome.reason
    assert (outcome.step, outcome.attempt, outcome.have) == (case.step, case.attempt, case.back.canonical)


@pytest.mark.parametrize("case", UNTRIED, ids=lambda case: case.about)
def test_where_nothing_was_tried_the_host_or_a_reason_is_named(case: OutcomeCase) -> None:
    assert_judged(case)


@pytest.mark.parametrize("case", MISTAKEN, ids=lambda case: case.about)
def test_a_trial_of_anything_else_than_was_wanted_is_a_bug_and_no_verdict(case: OutcomeCase) -> None:
    assert_judged(case)


@pytest.mark.parametrize("case", NOT_GREEN, ids=lambda case: case.about)
def test_a_failed_tier_is_red_and_one_that_the_host_spoiled_is_not(case: OutcomeCase) -> None:
    assert_judged(case)


@pytest.mark.parametrize("case", PROMOTED, ids=lambda case: case.about)
def test_what_was_tested_and_is_read_back_undamaged_is_promoted(case: OutcomeCase) -> None:
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
    (GREEN, False),
]


@pytest.mark.parametrize(("attempt", "remembered"), REMEMBERED)
def test_only_what_the_recipe_did_wrong_is_remembered(attempt: Attempt, *, remembered: bool) -> None:
    assert is_remembered(judge(PROMOTE, attempt, BEFORE)) is remembered


def test_a_promotion_is_not_remembered_as_a_red() -> None:
    assert not is_remembered(judge(PROMOTE, GREEN, AFTER))
    assert not is_remembered(judge(PROMOTE, evolve(GREEN, promotion_error="EIO"), AFTER))
    assert not is_remembered(judge(REST, Attempt(), BEFORE))


def test_only_the_very_trial_is_found_in_the_registry() -> None:
    assert is_recorded(TRIAL, AFTER)
    assert not is_recorded(TRIAL, BEFORE)
    assert not is_recorded(evolve(TRIAL, id="trial-2"), AFTER)


# ---- properties ----


def judged(data: st.DataObject, step: Step) -> tuple[Outcome, ReadBack]:
    attempt = data.draw(attempts(step))
    back = data.draw(read_backs(step, attempt.trial))
    return judge(step, attempt, back), back


@given(acting_steps(), st.data())
def test_promoted_means_green_unrefused_and_read_back_from_this_very_trial(step: Step, data: st.DataObject) -> None:
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
def test_where_nothing_was_to_be_done_no_verdict_is_given(step: Step, data: st.DataObject) -> None:
    outcome, back = judged(data, step)
    rest = evolve(step, action=Action.NONE, release=None)
    hindered = judge(rest, outcome.attempt, back)
    assert hindered.result in {Result.NONE, Result.INFRASTRUCTURE, Result.NOT_TRIED}
    assert judge(rest, evolve(outcome.attempt, untried_reason=""), back).result is Result.NONE


@given(acting_steps(), st.data())
def test_what_is_only_raised_is_repaired_if_and_only_if_it_is_seen_up_from_an_intact_record(
    step: Step, data: st.DataObject
) -> None:
    outcome, back = judged(data, step)
    if step.action is not Action.REDEPLOY or outcome.attempt.untried_reason:
        return
    up = back.canonical is not None and back.has_mirror and not (back.damage or back.down)
    assert outcome.result is (Result.REPAIRED if up else Result.INFRASTRUCTURE)
    assert not is_remembered(outcome)
