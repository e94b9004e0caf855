"""Makes the JSON document of a report, in format 1: one object in ASCII. Every key is present, null if unknown.

In the report of a pass, `result` of a recipe says what the pass did. `action` and `held_back` say what is left to do.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Final

from desired.releases import Release, Want
from reconciler.core.drift import DriftItem
from reconciler.core.findings import Finding
from reconciler.core.gate import Condition
from reconciler.core.population import Population
from reconciler.core.report import Report, ReportBucket, Row, Run, gaps
from reconciler.core.tier_results import TierResult, Trial, level
from reconciler.show.documents.recorded_parts import Json, canonical_part, decisions_part, tier_part, time_part
from reconciler.show.documents.ways_part import ways_part
from reconciler.show.labels import ACTION_WORDS
from reconciler.show.quantities import rfc3339
from reconciler.show.text.columns import reason_of_row
from reconciler.show.text.trial_card import tier_reason

FORMAT: Final = 1

RECIPE: Final[Json] = {
    "name": None,
    "want": None,
    "have": None,
    "cause": None,
    "state": None,
    "held_back": None,
    "hold": None,
    "rollback": None,
    "waiting": [],
    "mirror": None,
    "push": None,
    "action": "none",
    "reason": "",
    "needs_person": False,
    "gate": [],
    "result": "none",
    "level": None,
    "base": None,
    "tiers": [],
    "log": None,
    "findings": [],
    "not_releases": [],
    "vanished": [],
    "unread": [],
    "since": None,
    "last_up": None,
    "observed_at": None,
    "last_seen": None,
    "drift": [],
    "ways": [],
}
"""The keys of a recipe's entry, in order, each with the value that it has if nothing is known."""


def json_text(document: Json) -> str:
    """Return a JSON document as indented text with a final newline.

    Lone surrogates are escaped, because JSON cannot contain them.
    """
    text = json.dumps(_without_surrogates(document), ensure_ascii=True, indent=2)
    return text.replace("\x7f", "\\u007f") + "\n"


def json_line(document: Json) -> str:
    """Return a JSON document as one line of text with a final newline.

    Lone surrogates are escaped, because JSON cannot contain them.
    """
    return json.dumps(_without_surrogates(document), ensure_ascii=True).replace("\x7f", "\\u007f") + "\n"


def _without_surrogates(value: object) -> object:
    """Return a copy of `value`, JSON data, in which lone surrogates in texts are escaped. Keys are not changed."""
    match value:
        case str():
            return value.encode("utf-8", "backslashreplace").decode("utf-8")
        case Mapping():
            return {key: _without_surrogates(part) for key, part in value.items()}
        case list():
            return [_without_surrogates(part) for part in value]
        case _:
            return value


# ---- a plan, a drift or a pass ----


def report_document(report: Report) -> Json:
    """Return the JSON document of a plan, a drift report or a pass."""
    return {
        "format": FORMAT,
        "command": report.run.command,
        "pass": run_part(report.run),
        "population": {
            **population_part(report.population),
            "to_try": report.population.to_try,
            "tried": report.population.tried,
        },
        "recipes": [_row(row) for row in report.rows],
        "summary": _summary(report.counts, report.line),
        "notes": list(report.notes),
        "errors": _errors(report),
        "exit_code": report.exit_code,
    }


def _errors(report: Report) -> list[Json]:
    """Return a JSON entry for each number in the report that does not add up, and one if no recipe is enrolled."""
    messages = gaps(report.population, report.counts, report.rows)
    return [error_part("", None, None, message, "") for message in messages]


def error_part(file: str, line: int | None, column: int | None, message: str, hint: str) -> Json:
    """Return the JSON entry of one error. `file` and `hint` become null if they are "", `line` and `column` if None."""
    return {"file": file or None, "line": line, "column": column, "message": message, "hint": hint or None}


def run_part(run: Run) -> Json:
    """Return the value of the key "pass" of a JSON document: the id, times, place and revisions of the run."""
    return {
        "id": run.id,
        "started_at": rfc3339(run.started_at),
        "finished_at": rfc3339(run.finished_at),
        "trigger": run.place.trigger,
        "place": run.place.digest,
        "versions": run.place.versions_digest,
        "canon": run.canon,
        "fleet": run.fleet,
    }


def population_part(population: Population) -> Json:
    """Return, as JSON data, how many recipes there are at each stage of the command that made the report, by stage.

    The numbers of trials (`to_try` and `tried`) are left out.
    """
    return {
        "declared": population.declared,
        "selected": population.selected,
        "enrolled": population.enrolled,
        "excepted": population.excepted,
        "observed": population.observed,
        "decided": population.decided,
        "reported": population.reported,
    }


def _summary(counts: Mapping[ReportBucket, int], line: str) -> Json:
    """Return the value of the key "summary" of a report: `line`, and the count of each bucket."""
    return {bucket.value: counts[bucket] for bucket in ReportBucket} | {"line": line}


def _row(row: Row) -> Json:
    """Return the JSON entry of one recipe in a report."""
    step, finding = row.step, row.finding
    trial = row.outcome.attempt.trial if row.outcome is not None else None
    return {
        **RECIPE,
        "name": row.recipe,
        "want": _want(finding.want),
        "have": canonical_part(finding.have),
        "cause": finding.cause,
        "state": finding.status.state,
        "held_back": step.held_back,
        **decisions_part(step.hold),
        "mirror": finding.mirror,
        "push": row.push,
        "action": ACTION_WORDS[step.action],
        "reason": reason_of_row(row),
        "needs_person": step.needs_person,
        "gate": gate_part(row.gate),
        "result": row.result,
        **(trial_part(trial) if trial is not None else {}),
        **_observed_part(finding),
        "last_seen": time_part(row.drift.last_seen),
        "drift": [_drift_item(item) for item in row.drift.items],
        "ways": ways_part(row.ways),
    }


def _observed_part(finding: Finding) -> Json:
    """Return the keys of a row about tags that are no releases or not read, and about times of observations."""
    return {
        "not_releases": list(finding.not_releases),
        "vanished": list(finding.vanished),
        "unread": list(finding.unread),
        "since": time_part(finding.differs_since),
        "last_up": time_part(finding.status.last_up),
        "observed_at": time_part(finding.observed_at),
    }


def _drift_item(item: DriftItem) -> Json:
    """Return the JSON entry of one difference. Its key "since" is null if no pass has seen the difference yet."""
    each = item.difference
    return {
        "side": each.side,
        "what": each.what,
        "reason": each.reason,
        "since": time_part(item.since),
        "ignored": item.ignored,
    }


def _want(want: Want | None) -> Json | None:
    """Return the version and commit of the wanted release as JSON data; None if no single release is wanted."""
    return {"version": want.version, "commit": want.commit} if isinstance(want, Release) else None


def trial_part(trial: Trial) -> Json:
    """Return a part of a JSON entry: the keys "level", "base", "tiers", "log", "findings", filled from `trial`."""
    base = {"version": trial.base.release.version if trial.base.release else None, "why": trial.base.why}
    return {
        "level": level(trial.tiers),
        "base": base,
        "tiers": [_result(tier) for tier in trial.tiers],
        "log": trial.log,
        "findings": list(trial.findings),
    }


def _result(tier: TierResult) -> Json:
    return tier_part(tier.name, tier.verdict, tier_reason(tier), tier.seconds)


def gate_part(conditions: Sequence[Condition]) -> list[Json]:
    """Return a JSON entry for each condition of the gate, in the same order."""
    return [{"name": item.name, "verdict": item.status, "evidence": item.evidence} for item in conditions]
