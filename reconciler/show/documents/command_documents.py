"""The JSON documents of all commands but the report: status, trial, raise, logs, accept, forget, and errors."""

from collections.abc import Mapping, Sequence

from attrs import frozen

from reconciler.core.gate import Condition
from reconciler.core.observation import CanonicalStatus, State
from reconciler.core.report import Population, ReportBucket, Run
from reconciler.core.tier_results import Trial
from reconciler.ports.app import RunningApp
from reconciler.show.documents.report_document import (
    FORMAT,
    RECIPE,
    Json,
    canonical_part,
    error_part,
    evidence_part,
    gate_part,
    population_part,
    run_part,
    time_part,
    trial_part,
)
from reconciler.show.text.status import Recorded, notes_of_recorded, status_line
from reconciler.show.text.trial_card import result_of, trial_line
from state.records import Canonical

ErrorFields = tuple[str, int | None, int | None, str, str]
"""File, line, column, message and hint; file and hint may be "", line and column None."""


def status_document(run: Run, population: Population, rows: Sequence[Recorded], exit_code: int) -> Json:
    """Return the document of `reconcile status`."""
    counts = {
        ReportBucket.DAMAGED: sum(row.status.state in {State.DAMAGED, State.DOWN} for row in rows),
        ReportBucket.EXCEPTED: sum(bool(row.exception) for row in rows),
        ReportBucket.ORPHANED: sum(not row.declared for row in rows),
    }
    return _document(run, population, [_recorded(row) for row in rows], _summary(counts, status_line(rows)), exit_code)


def _recorded(row: Recorded) -> Json:
    have = row.canonical
    return {
        **RECIPE,
        "name": row.recipe,
        "have": canonical_part(have),
        "state": row.status.state,
        "held_back": "excepted" if row.exception else None,
        "reason": "; ".join(notes_of_recorded(row)),
        "needs_person": not row.declared,
        "since": time_part(row.status.last_up),
        "last_up": time_part(row.status.last_up),
        **(evidence_part(have.evidence) if have is not None else {}),
    }


@frozen
class Tested:
    """A trial by hand and the conditions of the gate, with the recipe's canonical and its status."""

    trial: Trial
    conditions: tuple[Condition, ...]
    canonical: Canonical | None
    status: CanonicalStatus


def trial_document(run: Run, tested: Tested, exit_code: int) -> Json:
    """Return the document of `reconcile trial`, in the form of a report of one recipe."""
    line = trial_line(tested.trial, tested.conditions)
    population = Population(declared=1, selected=1, enrolled=1, excepted=0, observed=1, decided=1, reported=1)
    return _document(run, population, [_tested(tested, line)], _summary({}, line), exit_code)


def _tested(tested: Tested, line: str) -> Json:
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
    }


def _document(run: Run, population: Population, recipes: list[Json], summary: Json, exit_code: int) -> Json:
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
    """Return the summary: `line`, and the count of each bucket. A bucket that is missing in `counts` is null, not 0."""
    return {**{each.value: counts.get(each) for each in ReportBucket}, "held_back": None, "line": line}


def raised_document(recipe: str, app: RunningApp) -> Json:
    """Return what `reconcile raise` prints with `--output json`: where the app is reached, and its release."""
    facts = {"version": app.version, "commit": app.commit, "url": app.url, "address": app.address}
    return {"format": FORMAT, "name": recipe, **facts}


def logs_document(recipe: str, trial: str, tiers: Mapping[str, str]) -> Json:
    """Return the document of `reconcile logs`. `tiers` maps each tier, in order, to the full text of its log."""
    logs = [{"name": tier, "text": text} for tier, text in tiers.items()]
    return {"format": FORMAT, "command": "logs", "name": recipe, "trial": trial, "tiers": logs, "exit_code": 0}


def message_document(command: str, message: str) -> Json:
    """Return the document of a command that answers with one line."""
    return {"format": FORMAT, "command": command, "line": message, "exit_code": 0}


def error_document(errors: Sequence[ErrorFields], exit_code: int) -> Json:
    """Return the document of a failed command, with all its errors."""
    return {"format": FORMAT, "errors": [error_part(*error) for error in errors], "exit_code": exit_code}
