"""Makes the short texts in the column WHY: what is to be done about a recipe, in at most 24 columns."""

from collections.abc import Mapping
from typing import Final

from reconciler.core.findings import Cause
from reconciler.core.observation import State
from reconciler.core.outcome import Result
from reconciler.core.plan import Action, HeldBack
from reconciler.core.report import ReportBucket, Row, bucket_of
from reconciler.core.step_reasons import was_green

_RESULTS: Final[Mapping[Result, str]] = {
    Result.PROMOTED: "done",
    Result.REPAIRED: "done",
    Result.INFRASTRUCTURE: "fix this host",
    Result.NOT_TRIED: "next pass tries it",
}
_ACTIONS: Final[Mapping[Action, str]] = {
    Action.PROMOTE: "next pass tries it",
    Action.RETEST: "next pass tests it again",
    Action.REDEPLOY: "next pass raises it",
    Action.REFETCH: "next pass fetches it",
}
_CAUSES: Final[Mapping[Cause, str]] = {
    Cause.UNOBSERVABLE: "next pass asks again",
    Cause.NEVER_RELEASED: "waits for a release",
}
_WAITS: Final[Mapping[HeldBack | None, str]] = {
    HeldBack.EXCEPTED: "excepted",
    HeldBack.TOO_YOUNG: "waits: too young",
    HeldBack.OVER_BUDGET: "waits: over budget",
}


def needs_you(row: Row) -> bool:
    """Return whether a person has to do something before the recipe can go on."""
    return row.step.needs_person or bucket_of(row) is ReportBucket.NEEDS_PERSON


def clause(row: Row) -> str:
    """Return the short text for a recipe in the column WHY, at most 24 characters long.

    If a person has to act, the text is "needs you", with the reason if that is short. Otherwise it says what is done
    about the recipe next, such as "next pass tries it", or that nothing has to be done.
    """
    if needs_you(row):
        if row.step.held_back is HeldBack.UNSIGNED:
            return "needs you: unsigned"
        return _held_back_by_red(row) or "needs you"
    if row.result is not Result.NONE:
        return _RESULTS.get(row.result, "see below")
    if row.drift.is_ignored:
        return "ignored"
    return _standing(row)


def _held_back_by_red(row: Row) -> str:
    """Return the text for a release that an earlier trial holds back: whether it was red, or was green.

    Return "" if no earlier trial holds it back, or if this run has a result for the recipe.
    """
    if row.step.held_back is not HeldBack.RED_BEFORE or row.result is not Result.NONE:
        return ""
    return "needs you: not promoted" if was_green(row.step.red) else "needs you: was red"


def _standing(row: Row) -> str:
    """Return the text for the column WHY of a recipe that needs no person, and for which this run did nothing.

    The text says what the next pass does for the recipe, or what the recipe waits for.
    """
    step = row.step
    if step.action is not Action.NONE:
        return _ACTIONS[step.action]
    if step.held_back in _WAITS:
        return _WAITS[step.held_back]
    if step.held_back is HeldBack.HELD:
        return "on hold" if step.hold is not None and step.hold.hold is not None else "rolled back"
    if row.finding.status.state is State.UNKNOWN:
        return "fix this host"
    return _CAUSES.get(row.finding.cause, "nothing to do")
