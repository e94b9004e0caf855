"""Makes the JSON documents of the commands status, trial, raise, logs, doctor, accept and forget, and of errors."""

from collections.abc import Mapping, Sequence

from attrs import field, frozen

from reconciler.core.gate import Condition
from reconciler.core.host_checks import HostCheck
from reconciler.core.last_pass import LastWholePass
from reconciler.core.observation import CanonicalStatus, State
from reconciler.core.population import Population
from reconciler.core.redeployed import not_up_notes
from reconciler.core.report import ReportBucket, Run
from reconciler.core.tier_results import Trial
from reconciler.core.ways import WayResult
from reconciler.ports.app import RunningApp
from reconciler.show.documents.recorded_parts import Json, canonical_part, decisions_part, evidence_part, time_part
from reconciler.show.documents.report_document import (
    FORMAT,
    RECIPE,
    error_part,
    gate_part,
    population_part,
    run_part,
    trial_part,
)
from reconciler.show.documents.ways_part import recorded_ways_part, ways_part
from reconciler.show.text.pass_age import last_pass_part, stale_notes
from reconciler.show.text.status import Recorded, notes_of_recorded, status_line
from reconciler.show.text.trial_card import result_of, trial_line
from state.records import Canonical

ErrorFields = tuple[str, int | None, int | None, str, str]
"""File, line, column, message and hint of an error. Without a file, file is "", and line and column are None."""


def status_document(
    run: Run, population: Population, rows: Sequence[Recorded], exit_code: int, last: LastWholePass | None = None
) -> Json:
    """Return the JSON document of `reconcile status`, with an entry for each recipe in `rows`.

    `population` counts the recipes at each stage. `last` is the last pass over the whole fleet; None to leave it out.
    """
    counts = {
        ReportBucket.DAMAGED: sum(row.status.state in {State.DAMAGED, State.DOWN} for row in rows),
        ReportBucket.HELD: sum(row.is_held for row in rows),
        ReportBucket.EXCEPTED: sum(bool(row.exception) for row in rows),
        ReportBucket.ORPHANED: sum(not row.declared for row in rows),
    }
    summary = _summary(counts, status_line(rows))
    document = _document(run, population, [_recorded(row) for row in rows], summary, exit_code)
    if last is None:
        return document
    return {**document, "notes": list(stale_notes(last)), "last_whole_pass": last_pass_part(last)}


def _recorded(row: Recorded) -> Json:
    """Return the entry of one recipe in the JSON document of `reconcile status`.

    If the kept deployment is down, the key "since" has the time when the deployment was last up. Otherwise "since" is
    null: `reconcile status` does not ask upstream, and so does not know since when a recipe differs.
    """
    have = row.canonical
    return {
        **RECIPE,
        "name": row.recipe,
        "have": canonical_part(have),
        "state": row.status.state,
        "held_back": "excepted" if row.exception else "held" if row.is_held else None,
        **decisions_part(row.decisions),
        "reason": "; ".join(notes_of_recorded(row)),
        "needs_person": not row.declared,
        "since": time_part(row.status.last_up),
        "last_up": time_part(row.status.last_up),
        "ways": recorded_ways_part(row.ways),
        **(evidence_part(have.evidence) if have is not None else {}),
    }


@frozen
class Tested:
    """A trial that a person started, and what `reconcile trial` shows beside it.

    * `conditions`: the conditions of the gate, judged by this trial.
    * `canonical`: the canonical of the recipe, which the trial does not change; None if there is none.
    * `status`: whether the canonical is intact.
    * `ways`: the results of the ways that were tried after the tiers.
    * `not_up`: the kept deployments that were undeployed for the trial and are not up again, each with its status.
    """

    trial: Trial
    conditions: tuple[Condition, ...]
    canonical: Canonical | None
    status: CanonicalStatus
    ways: tuple[WayResult, ...] = ()
    not_up: Mapping[str, CanonicalStatus] = field(factory=dict)

    @property
    def notes(self) -> tuple[str, ...]:
        return not_up_notes(self.not_up)


def trial_document(run: Run, tested: Tested, exit_code: int) -> Json:
    """Return the JSON document of `reconcile trial`, with the same keys as the report of a pass on one recipe.

    `tested` is the trial, with what is shown beside it.
    """
    line = trial_line(tested.trial, tested.conditions)
    population = Population(declared=1, selected=1, enrolled=1, excepted=0, observed=1, decided=1, reported=1)
    document = _document(run, population, [_tested(tested, line)], _summary({}, line), exit_code)
    return {**document, "notes": list(tested.notes)}


def _tested(tested: Tested, line: str) -> Json:
    """Return the entry of the recipe in the JSON document of `reconcile trial`. `line` is the result in one line."""
    trial = tested.trial
    return {
        **RECIPE,
        "name": trial.recipe,
        "want": {"version": trial.release.version, "commit": trial.release.commit},
        "have": canonical_part(tested.canonical),
        "state": tested.status.state,
        "last_up": time_part(tested.status.last_up),
        "reason": line,
        "gate": gate_part(tested.conditions),
        "result": result_of(trial),
        **trial_part(trial),
        "ways": ways_part(tested.ways),
    }


def _document(run: Run, population: Population, recipes: list[Json], summary: Json, exit_code: int) -> Json:
    """Return a JSON document with all keys of a report. The lists of notes and errors in it are empty.

    * `population`: how many recipes there are at each stage of the run.
    * `recipes`: the entries of the recipes.
    * `summary`: how many recipes there are in each bucket, and the summary line.
    """
    return {
        "format": FORMAT,
        "command": run.command,
        "pass": run_part(run),
        "population": population_part(population),
        "recipes": recipes,
        "summary": summary,
        "notes": [],
        "errors": [],
        "exit_code": exit_code,
    }


def _summary(counts: Mapping[ReportBucket, int], line: str) -> Json:
    """Return the entry "summary" of a document: `line`, and the count of each bucket, null if `counts` lacks it."""
    return {**{bucket.value: counts.get(bucket) for bucket in ReportBucket}, "line": line}


def raised_document(recipe: str, app: RunningApp) -> Json:
    """Return the JSON document of `reconcile raise`: the recipe, and the release and addresses of the raised app."""
    facts = {"version": app.version, "commit": app.commit, "url": app.url, "address": app.address}
    return {"format": FORMAT, "name": recipe, **facts}


def logs_document(recipe: str, trial: str, tiers: Mapping[str, str]) -> Json:
    """Return the JSON document of `reconcile logs`. `trial` is the id of the trial.

    `tiers` maps each tier, in order, to the whole text of its log.
    """
    logs = [{"name": tier, "text": text} for tier, text in tiers.items()]
    return {"format": FORMAT, "command": "logs", "name": recipe, "trial": trial, "tiers": logs, "exit_code": 0}


def message_document(command: str, message: str, exit_code: int = 0) -> Json:
    """Return the JSON document of a command that prints only one line, such as `reconcile accept`.

    `command` is the name of the command, `message` is the line, and `exit_code` is the exit code of the command.
    """
    return {"format": FORMAT, "command": command, "line": message, "exit_code": exit_code}


def doctor_document(checks: Sequence[HostCheck], exit_code: int) -> Json:
    """Return the JSON document of `reconcile doctor`, with one entry for each check."""
    shown = [{"name": check.name, "result": check.result, "found": check.found, "hint": check.hint} for check in checks]
    return {"format": FORMAT, "command": "doctor", "checks": shown, "exit_code": exit_code}


def error_document(errors: Sequence[ErrorFields], exit_code: int) -> Json:
    """Return the JSON document of a command that failed, with an entry for each error."""
    return {"format": FORMAT, "errors": [error_part(*error) for error in errors], "exit_code": exit_code}
