"""Decides the result of a step by what is there afterwards, never by what the step claims alone."""

from enum import StrEnum

from attrs import frozen

from desired.model import TierName
from desired.releases import Release
from reconciler.core.gate import Condition, is_closed_way
from reconciler.core.observation import State
from reconciler.core.plan import Action, Step
from reconciler.core.step_reasons import NOT_PROMOTED
from reconciler.core.tier_results import Trial, Verdict, first_failure, is_green
from state.records import Canonical


class Result(StrEnum):
    """What came of a step, in one word.

    * NONE: nothing was to be done.
    * PROMOTED: the release is the canonical now.
    * REPAIRED: the damaged snapshot, mirror or kept deployment is all right again.
    * RED: the release failed its trial.
    * GREEN_NOT_PROMOTED: the release passed its trial, but was not promoted.
    * INFRASTRUCTURE: the step failed by a fault of this host.
    * NOT_TRIED: the release was not tried.
    """

    NONE = "none"
    PROMOTED = "promoted"
    REPAIRED = "repaired"
    RED = "red"
    GREEN_NOT_PROMOTED = "green-not-promoted"
    INFRASTRUCTURE = "infrastructure"
    NOT_TRIED = "not-tried"


@frozen
class ReadBack:
    """What was read from the registry, the snapshot and the mirror of a recipe after its step.

    * `canonical`: the recorded canonical; None if there is none.
    * `damage`: how the canonical's snapshot differs from its seal, or why the snapshot cannot be read; "" if it is
      intact.
    * `has_mirror`: True if there is a mirror that can be read.
    * `down`: what of the kept deployment is not up; "" if all is up, or if there is none.
    """

    canonical: Canonical | None
    damage: str = ""
    has_mirror: bool = False
    down: str = ""


@frozen
class Attempt:
    """What a step did.

    * `trial`: None if nothing was tried; `untried_reason` then says why.
    * `gate`: all conditions of the promotion.
    * `refusals`: the conditions in `gate` that prevented the promotion.
    * `promotion_error`: the error that ended the promotion; "" if there was none.
    * `host_fault`: True if this host, and not the recipe, is to blame for `untried_reason` or `promotion_error`.
    * `company_fault`: True if trials that ran at the same time are to blame for `untried_reason`.
    """

    trial: Trial | None = None
    gate: tuple[Condition, ...] = ()
    refusals: tuple[Condition, ...] = ()
    untried_reason: str = ""
    promotion_error: str = ""
    host_fault: bool = False
    company_fault: bool = False


@frozen
class Outcome:
    """The result of a step.

    * `reason`: why this is the result, in one sentence.
    * `attempt`: what the step did.
    * `have`: the canonical after the step; None if there is none.
    * `remarks`: what could not be recorded or deleted after the step.
    """

    step: Step
    result: Result
    reason: str
    attempt: Attempt
    have: Canonical | None
    remarks: tuple[str, ...] = ()


def judge(step: Step, attempt: Attempt, back: ReadBack) -> Outcome:
    """Return the outcome of a step. `attempt` is what the step did. `back` is what was read from disk afterwards."""
    result, reason = _result(step, attempt, back)
    return Outcome(step, result, reason, attempt, back.canonical)


def _result(step: Step, attempt: Attempt, back: ReadBack) -> tuple[Result, str]:
    """Return the result of a step and its reason. `attempt` is what the step did, `back` what was read from disk."""
    if step.release is None:
        return _result_without_release(step, attempt, back)
    trial = attempt.trial
    if trial is None or (trial.recipe, trial.release) != (step.recipe, step.release):
        return _result_without_trial(step, attempt, back)
    if not is_green(trial.tiers):
        return _result_of_failed(trial)
    if attempt.refusals or not is_recorded(trial, back):
        return Result.GREEN_NOT_PROMOTED, why_not_promoted(attempt, back)
    return _result_of_recorded(step, attempt, back)


def _result_without_release(step: Step, attempt: Attempt, back: ReadBack) -> tuple[Result, str]:
    """Return the result of a step that tries no release, and its reason. `back` was read from disk after the step."""
    if attempt.untried_reason:
        return (Result.INFRASTRUCTURE if attempt.host_fault else Result.NOT_TRIED), attempt.untried_reason
    if step.action is Action.NONE:
        return Result.NONE, step.reason
    if not back.has_mirror:
        return Result.INFRASTRUCTURE, "there is still no mirror that can be read"
    if step.action is Action.REDEPLOY:
        return _redeployed(back)
    return Result.REPAIRED, "the mirror is there again, read back"


def _redeployed(back: ReadBack) -> tuple[Result, str]:
    """Return the result of a step that deploys a canonical again, and its reason. `back` was read after the step."""
    have, down = back.canonical, back.damage or back.down
    if have is None or down:
        return Result.INFRASTRUCTURE, f"its deployment is still down: {down or 'nothing is recorded'}"
    return Result.REPAIRED, f"{have.version} is up again from its snapshot, observed"


def _result_without_trial(step: Step, attempt: Attempt, back: ReadBack) -> tuple[Result, str]:
    """Return the result of a step whose release was not tried, and its reason. `back` was read after the step.

    If the release was recorded all the same, the step was interrupted after its promotion. Then it counts as promoted.
    """
    if attempt.trial is None and _was_recorded(step, back):
        return _result_of_recorded(step, attempt, back)
    if attempt.trial is not None:
        return Result.INFRASTRUCTURE, f"a bug: {attempt.trial.recipe} {attempt.trial.release.version} was tried instead"
    return (Result.INFRASTRUCTURE if attempt.host_fault else Result.NOT_TRIED), attempt.untried_reason


def _was_recorded(step: Step, back: ReadBack) -> bool:
    """Return whether the step's release was recorded as a new generation during the step, with an intact snapshot.

    `back` is what was read from disk after the step.
    """
    have, before = back.canonical, step.finding.have
    if have is None or back.damage or step.release is None:
        return False
    is_newer = before is None or have.generation > before.generation
    return is_newer and (have.recipe, Release(have.version, have.commit)) == (step.recipe, step.release)


def _result_of_failed(trial: Trial) -> tuple[Result, str]:
    """Return the result of a step whose trial failed, could not be judged or was incomplete, and the reason for it."""
    bad = first_failure(trial.tiers)
    if bad is None:
        return Result.NOT_TRIED, "not every tier was reached"
    if bad.verdict is Verdict.ERROR:
        return Result.INFRASTRUCTURE, f"{trial.release.version}: {bad.name} could not be judged: {bad.reason}"
    return Result.RED, f"{trial.release.version}: {bad.name} failed: {bad.reason}"


def is_recorded(trial: Trial, back: ReadBack) -> bool:
    """Return whether `back` (what was read after the step) has a canonical that this trial proved, and it is intact."""
    have = back.canonical
    if have is None or back.damage or have.recipe != trial.recipe:
        return False
    return (have.version, have.commit, have.evidence.trial) == (trial.release.version, trial.release.commit, trial.id)


def _result_of_recorded(step: Step, attempt: Attempt, back: ReadBack) -> tuple[Result, str]:
    """Return the result of a step whose release is now the recorded canonical, as `back` has it, and its reason."""
    have = back.canonical
    assert have is not None  # noqa: S101  is_recorded implies it
    note = "".join(f"; afterwards: {why}" for why in (attempt.promotion_error, attempt.untried_reason) if why)
    result = Result.REPAIRED if step.action is Action.RETEST else Result.PROMOTED
    proof = ", ".join(
        filter(None, (f"{have.version} ({have.commit[:7]})", _data_proof(have, attempt.trial), "read back"))
    )
    return result, f"{proof}{_data_loss(step, attempt.trial, have)}{note}"


def _data_proof(have: Canonical, trial: Trial | None) -> str:
    """Return a text on whether a check proved the canonical's data.

    * If the canonical's upgrade passed, or if data.check could tell in `trial` that data is lost: the data was proved.
    * Else, if `trial` is None: "", because nothing is known without the trial.
    * Else: no check proves the data.
    """
    upgraded = any((tier.name, tier.verdict) == (TierName.UPGRADE, Verdict.PASS) for tier in have.evidence.tiers)
    if upgraded or (trial is not None and trial.checks_data):
        return f"data lived through {' → '.join(have.lineage)}"
    if trial is None:
        return ""
    *before, _ = have.lineage
    over = f"upgraded over data of {' → '.join(before)}" if before else "installed fresh"
    return f"{over}, and no [data] check proves the data"


def _data_loss(step: Step, trial: Trial | None, have: Canonical) -> str:
    """Return a text on what became of the earlier canonical's data, if the earlier canonical was damaged; else "".

    Either the new canonical `have` has the data of an older generation, or the data is lost. `trial` is None if a
    signal ended the step before the trial was returned.
    """
    before, older = step.finding.have, step.finding.older_intact
    if before is None or step.finding.status.state is not State.DAMAGED:
        return ""
    # Without a trial, as after a signal, only the lineage shows whose data the new canonical has.
    is_base = older is not None and (trial is None or trial.base.generation == older.generation)
    if older is not None and is_base and have.lineage[: len(older.lineage)] == older.lineage:
        return f"; generation {before.generation} is damaged, the data goes on from generation {older.generation}"
    return f"; the damaged data that had lived through {' → '.join(before.lineage)} is lost"


def why_not_promoted(attempt: Attempt, back: ReadBack) -> str:
    """Return, as one text, all reasons why a release that passed its trial was not promoted.

    First come the conditions in `attempt` that prevented the promotion, then the error that ended it. If there is
    neither, the text says what was wrong with `back`, which was read from disk after the step.
    """
    reasons = [str(condition) for condition in attempt.refusals]
    if attempt.promotion_error:
        reasons.append(attempt.promotion_error)
    if not reasons:
        reasons.append(back.damage or "the registry, read again, does not have the tested release")
    return NOT_PROMOTED + "; ".join(reasons)


def is_remembered(outcome: Outcome) -> bool:
    """Return whether the outcome is recorded as a red, so that the release is not tried again.

    False if the recipe's tests changed during the trial, else True in two cases:
    * The release failed a tier.
    * The release passed, but was not promoted, and this host is not to blame: its candidate could not be deployed, it
      changed its own checkout, or a way on which the promotion depends has the answer NO.
    """
    trial, refusals = outcome.attempt.trial, outcome.attempt.refusals
    if trial is not None and not trial.tests_unchanged:
        return False
    if outcome.result is not Result.GREEN_NOT_PROMOTED or outcome.attempt.host_fault:
        return outcome.result is Result.RED
    altered, closed = trial is not None and bool(trial.altered), any(is_closed_way(each) for each in refusals)
    return altered or closed or (bool(outcome.attempt.promotion_error) and not refusals)
