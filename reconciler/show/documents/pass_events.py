"""Writes a running pass as JSON: the lines of `reconcile --events`, and the entry "running" of `reconcile status`.

The last line has the whole report or, if the pass could not run, the errors.
"""

from collections.abc import Sequence
from datetime import datetime

from reconciler.core.outcome import Outcome
from reconciler.core.plan import Action
from reconciler.core.report import Report
from reconciler.show.documents.recorded_parts import Json
from reconciler.show.documents.report_document import FORMAT, json_line, report_document
from reconciler.show.labels import ACTION_WORDS
from reconciler.show.quantities import rfc3339
from state.pass_progress import CurrentWork, PassProgress, PlannedWork


def began_line(progress: PassProgress, recipes: Sequence[str]) -> str:
    """Return the first line of `reconcile --events`: a pass began. `recipes` are the recipes that the pass is about."""
    facts = {"pass": progress.pass_id, "trigger": progress.trigger, "recipes": list(recipes)}
    return _line("began", progress.began_at, facts)


def planned_line(work: Sequence[PlannedWork], over_budget: Sequence[str], at: datetime) -> str:
    """Return the line of `reconcile --events` on the plan. `work` are the steps that do something, in their order.

    `over_budget` are the recipes that the fleet's budget leaves to a later pass. `at` is the time of the event.
    """
    return _line("planned", at, {"steps": [planned_part(each) for each in work], "over_budget": list(over_budget)})


def planned_part(work: PlannedWork) -> Json:
    """Return the entry of a planned step in a JSON document. Its key "version" is null if the step tries no release."""
    return {
        "recipe": work.recipe,
        "action": ACTION_WORDS[Action(work.action)],
        "version": work.version or None,
        "last_seconds": work.last_seconds,
    }


def step_line(recipe: str, doing: str, last_seconds: float | None, at: datetime) -> str:
    """Return the line of `reconcile --events` that says what is being done for a recipe from the time `at` on.

    `doing` says in a few words what is done. `last_seconds` is how long the recipe's last trial took; None if unknown.
    """
    return _line("step", at, {"recipe": recipe, "doing": doing, "last_seconds": last_seconds})


def done_line(recipe: str, text: str, at: datetime) -> str:
    """Return the line of `reconcile --events` on the end of a recipe's step at the time `at`. `text` says how it ended.

    The step may begin again: a step that fails while others run is repeated alone.
    """
    return _line("done", at, {"recipe": recipe, "text": text})


def result_line(outcome: Outcome, at: datetime) -> str:
    """Return the line of `reconcile --events` on the final result of a recipe's step, known at the time `at`."""
    release = outcome.step.release
    return _line(
        "result",
        at,
        {
            "recipe": outcome.step.recipe,
            "version": release.version if release is not None else None,
            "result": outcome.result,
            "reason": outcome.reason,
        },
    )


def ended_line(report: Report) -> str:
    """Return the last line of `reconcile --events` for a pass that ran. It has the whole report."""
    return _line("ended", report.run.finished_at, {"report": report_document(report), "exit_code": report.exit_code})


def failed_line(errors: Json, at: datetime) -> str:
    """Return the last line of `reconcile --events` for a pass that could not run. `at` is when the pass failed.

    `errors` is the JSON document with the pass's errors.
    """
    return _line("failed", at, errors)


def running_part(progress: PassProgress | None) -> Json | None:
    """Return, as JSON data, what a running pass is doing and has done; None if `progress` is None.

    The data is for the keys "running" and "unseen_pass" of `reconcile status`. Its key "left" has the planned steps
    that have not begun, or have to be done again; it is null until there is a plan.
    """
    if progress is None:
        return None
    return {
        "pass": progress.pass_id,
        "trigger": progress.trigger,
        "began_at": rfc3339(progress.began_at),
        "now": [_current(progress, each) for each in progress.now],
        "done": [{"recipe": each.recipe, "result": each.result, "at": rfc3339(each.at)} for each in progress.done],
        "over_budget": list(progress.over_budget),
        "left": [planned_part(each) for each in progress.left] if progress.planned is not None else None,
    }


def _current(progress: PassProgress, work: CurrentWork) -> Json:
    planned = progress.work_of(work.recipe)
    return {
        "recipe": work.recipe,
        "version": (planned.version or None) if planned is not None else None,
        "doing": work.doing,
        "began_at": rfc3339(work.began_at),
        "since": rfc3339(work.since),
        "last_seconds": work.last_seconds,
    }


def _line(event: str, at: datetime, facts: Json) -> str:
    return json_line({"format": FORMAT, "event": event, "at": rfc3339(at), **facts})
