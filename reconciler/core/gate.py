"""The gate: the conditions that must be met before a release is promoted. Each is judged by evidence."""

from collections.abc import Callable, Sequence
from enum import StrEnum

from attrs import frozen

from desired.model import Fleet, Recipe, WayName
from desired.releases import Release, Unobservable
from reconciler.core.holds import hold_text
from reconciler.core.tier_results import Trial, first_failure, is_complete, is_green, level
from reconciler.core.way_cases import cases_text
from reconciler.core.way_kinds import WayAnswer
from reconciler.core.ways import GatingWays, WayResult, way_text
from state.decisions import Hold
from state.records import Answer, Place


class ConditionStatus(StrEnum):
    """The status of a condition.

    * PASS: it is met.
    * FAIL: it is not met.
    * OPEN: there is no evidence yet to judge it by.
    """

    PASS = "pass"  # noqa: S105  a status, no password
    FAIL = "fail"
    OPEN = "open"


@frozen
class Condition:
    """One condition of the gate. `evidence` is a text on why it has its status."""

    name: str
    status: ConditionStatus
    evidence: str

    def __str__(self) -> str:
        return f"{self.name}: {self.evidence}"


def gate(
    fleet: Fleet,
    recipe: Recipe,
    trial: Trial | None,
    asked_again: Answer | Unobservable | None,
    place: Place,
) -> tuple[Condition, ...]:
    """Return the conditions of a promotion, always in the same order, each with its status and evidence.

    * `trial`: the trial of the release. None before the trial: then the conditions that need the trial are OPEN.
    * `asked_again`: what upstream answered when it was asked again after the trial. None before that: then the
      condition "tagged" is OPEN. Unobservable if upstream could not be asked.
    * `place`: where this process runs.

    A hold is not judged here, but by `unheld`.
    """
    return (
        _enrolled(recipe),
        _from_trial("green", trial, _green),
        _from_trial("cold", trial, _cold),
        _from_trial("not-ref", trial, _not_ref),
        *way_conditions(recipe, trial.ways if trial is not None else GatingWays()),
        _tagged(trial, asked_again),
        *_at_home(fleet, place),
    )


_WAY = "way-"


def way_conditions(recipe: Recipe, ways: GatingWays) -> tuple[Condition, ...]:
    """Return a condition for each way on which the recipe lets its promotions depend (`[ways] gates`).

    * FAIL: an answer of the way is NO.
    * PASS: all its answers are YES, and so is each case of a leap or a fall. PASS also if there is nothing to prove:
      for any way but the stop, no older release is known; for a leap, no older data is kept or named.
    * OPEN: there is no answer, or an answer or one of its cases proves nothing (SKIP, ERROR).
    """
    return tuple(_way(way, ways) for way in WayName if way in recipe.ways.gates)


def way_condition_name(way: WayName) -> str:
    """Return the name of the condition for `way`, such as "way-back"."""
    return f"{_WAY}{way}"


def _way(way: WayName, ways: GatingWays) -> Condition:
    name, results = way_condition_name(way), [each for each in ways.results if each.way is way]
    if closed := [each for each in results if each.answer is WayAnswer.NO]:
        return Condition(name, ConditionStatus.FAIL, way_text(closed[0]))
    if _has_nothing_older(way, results, nothing_older=ways.nothing_older):
        what = "release to go back to" if way is WayName.BACK else "data to start from"
        return Condition(name, ConditionStatus.PASS, f"there is no older {what}")
    if unproved := [text for text in map(_unproved_text, results) if text]:
        return Condition(name, ConditionStatus.OPEN, f"not proved: {unproved[0]}")
    if not results:
        return Condition(name, ConditionStatus.OPEN, "not tried yet")
    return Condition(name, ConditionStatus.PASS, "; ".join(map(way_text, results)))


def _has_nothing_older(way: WayName, results: Sequence[WayResult], *, nothing_older: bool) -> bool:
    """Return whether `way` has nothing older to start from or to lead to, so that there is nothing to prove.

    This is so if no older release is known (`nothing_older`). It is also so for a leap that was tried, but for which
    there is neither kept data nor a named release to start from. `results` are the results of this way.
    """
    sources = [case.source for each in results for case in each.cases if case.source.commit or not nothing_older]
    if way is WayName.STOP or sources or any(each.answer is not WayAnswer.SKIP for each in results):
        return False
    return nothing_older or (way is WayName.LEAP and bool(results))


def _unproved_text(result: WayResult) -> str:
    """Return in one line what of `result` proves nothing (SKIP, ERROR).

    * If there are such cases of a leap or a fall: these cases.
    * Else, if the answer of `result` itself proves nothing: `result`.
    * Else "".
    """
    nothing = {WayAnswer.SKIP, WayAnswer.ERROR}
    if cases := [case for case in result.cases if case.answer in nothing]:
        return cases_text(result.way, cases)
    return way_text(result) if result.answer in nothing else ""


def is_about_way(condition: Condition) -> bool:
    """Return whether the condition is about a way, as "way-back" is."""
    return condition.name.startswith(_WAY)


def is_closed_way(condition: Condition) -> bool:
    """Return whether the condition is about a way, and not met: the way has the answer NO."""
    return is_about_way(condition) and condition.status is ConditionStatus.FAIL


def early_refusals(conditions: tuple[Condition, ...]) -> tuple[Condition, ...]:
    """Return the conditions that already prevent the promotion before upstream is asked again.

    These are all conditions with FAIL, and the conditions on ways with OPEN.
    """
    return tuple(each for each in refusals(conditions) if each.status is ConditionStatus.FAIL or is_about_way(each))


def refusals(conditions: tuple[Condition, ...]) -> tuple[Condition, ...]:
    """Return the conditions that prevent the promotion: those that FAIL, and those that are OPEN."""
    return tuple(condition for condition in conditions if condition.status is not ConditionStatus.PASS)


def _condition(name: str, *, holds: bool, evidence: str) -> Condition:
    return Condition(name, ConditionStatus.PASS if holds else ConditionStatus.FAIL, evidence)


def _enrolled(recipe: Recipe) -> Condition:
    return _condition("enrolled", holds=recipe.enrolled, evidence="declared" if recipe.enrolled else recipe.exception)


def _from_trial(name: str, trial: Trial | None, judge: Callable[[Trial], Condition]) -> Condition:
    """Return what `judge` returns for the trial. If `trial` is None, return an OPEN condition with the name `name`."""
    return Condition(name, ConditionStatus.OPEN, "not tried yet") if trial is None else judge(trial)


def _green(trial: Trial) -> Condition:
    """Return the condition "green": it is met if install passed, and each other tier passed or was skipped.

    The condition is not met if a tier failed, had an error, or was not reached.
    """
    bad = first_failure(trial.tiers)
    if bad is not None:
        return _condition("green", holds=False, evidence=f"{bad.name} {bad.verdict}: {bad.reason}")
    if not is_green(trial.tiers):
        return _condition("green", holds=False, evidence="install was left out, or a tier was not reached")
    return _condition("green", holds=True, evidence=f"level {level(trial.tiers)}")


def _cold(trial: Trial) -> Condition:
    """Return the condition "cold": it is met if the trial began with empty slots, was complete, and changed nothing.

    Complete: every tier was reached, and none was left out by a person. Changed nothing: neither a tracked file of the
    checkout nor a file in the fleet folders differs afterwards.
    """
    if not trial.slots_were_empty:
        return _condition("cold", holds=False, evidence="the slot was not empty at the start")
    if trial.altered:
        return _condition("cold", holds=False, evidence=f"tracked files changed: {', '.join(trial.altered[:3])}")
    if not trial.tests_unchanged:
        return _condition("cold", holds=False, evidence="the fleet folder of the recipe changed during the trial")
    if not is_complete(trial.tiers):
        return _condition("cold", holds=False, evidence="a tier was left out or not reached")
    return _condition("cold", holds=True, evidence="empty slot, own checkout unchanged, every tier reached")


def _not_ref(trial: Trial) -> Condition:
    """Return the condition "not-ref": it is met if a pass chose the release, and not a person by hand."""
    evidence = "a pass chose the release" if trial.by_pass else "a person chose what was tested"
    return _condition("not-ref", holds=trial.by_pass, evidence=evidence)


def _tagged(trial: Trial | None, asked_again: Answer | Unobservable | None) -> Condition:
    """Return the condition "tagged": it is met if upstream still has the release tag on the tested commit.

    * `trial`: None before the trial. The condition is OPEN until then.
    * `asked_again`: what upstream answered when it was asked again after the trial. None if it is not asked yet: the
      condition is OPEN. Unobservable if it could not be asked: the condition is not met.
    """
    if trial is None or asked_again is None:
        return Condition("tagged", ConditionStatus.OPEN, "upstream is asked again after the trial")
    if isinstance(asked_again, Unobservable):
        return _condition("tagged", holds=False, evidence=f"upstream could not be asked again: {asked_again.reason}")
    return _names_tested_commit(trial.release, asked_again.tags.get(trial.release.version))


def _names_tested_commit(tested: Release, commit: str | None) -> Condition:
    """Return the condition "tagged" for a trial of the release `tested`: it is met if `commit` is the tested commit.

    `commit` is the commit that upstream's tag names now, None if the tag is gone.
    """
    if commit is None:
        return _condition("tagged", holds=False, evidence=f"upstream has no release tag {tested.version}")
    if commit != tested.commit:
        evidence = f"{tested.version} now names {commit[:7]}; {tested.commit[:7]} was tested"
        return _condition("tagged", holds=False, evidence=evidence)
    return _condition(
        "tagged", holds=True, evidence=f"{tested.version} names {commit[:7]}, asked again after the trial"
    )


def _at_home(fleet: Fleet, place: Place) -> tuple[Condition, ...]:
    """Return the condition "at-home": it is met if the pass runs in the systemd unit that the fleet declares.

    `place` says in which unit this process runs. If the fleet declares no unit, return ().
    """
    if not fleet.unit:
        return ()
    evidence = f"in {fleet.unit}" if place.unit == fleet.unit else f"run: systemctl start {fleet.unit}"
    return (_condition("at-home", holds=place.unit == fleet.unit, evidence=evidence),)


def unheld(hold: Hold | None) -> tuple[Condition, ...]:
    """Return the condition "unheld" with the status FAIL, since the recipe is on hold. Return () if `hold` is None."""
    return (_condition("unheld", holds=False, evidence=hold_text(hold)),) if hold is not None else ()
