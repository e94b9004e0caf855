"""Steps with what they did, each with the outcome that is judged."""

from attrs import evolve, frozen
from hypothesis import strategies as st

from desired.releases import Release
from reconciler.core.findings import Cause
from reconciler.core.gate import Condition, ConditionStatus
from reconciler.core.observation import State
from reconciler.core.outcome import Attempt, Outcome, ReadBack, Result, judge
from reconciler.core.plan import Action, Step
from reconciler.core.tier_results import Verdict
from state.records import TierRecord
from tests.core.attempt_strategies import attempts, read_backs
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


# ---- properties ----


def judged(data: st.DataObject, step: Step) -> tuple[Outcome, ReadBack]:
    attempt = data.draw(attempts(step))
    back = data.draw(read_backs(step, attempt.trial))
    return judge(step, attempt, back), back
