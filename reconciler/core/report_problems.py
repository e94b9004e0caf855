"""Finds the problems in the report of a pass that a person should be told of."""

from collections.abc import Iterable, Mapping

from desired.releases import Release
from reconciler.core.exit_codes import HOLLOW
from reconciler.core.last_pass import LastWholePass
from reconciler.core.notifications import LONGEST_REASON, PASS, TIMER, Seen
from reconciler.core.outcome import Result
from reconciler.core.plan import HeldBack
from reconciler.core.report import Report, ReportBucket, Row, bucket_of, gaps
from reconciler.core.step_reasons import was_green
from state.notifications import FleetProblem, recipe_of

_TOLD = frozenset(
    {
        ReportBucket.INFRASTRUCTURE,
        ReportBucket.UNOBSERVABLE,
        ReportBucket.NEEDS_PERSON,
        ReportBucket.DAMAGED,
        ReportBucket.ORPHANED,
    }
)
"""A recipe in one of these buckets has a problem. One that is to be promoted is not judged yet."""
_VERDICTS = frozenset({Result.RED, Result.GREEN_NOT_PROMOTED})


def seen_in(report: Report, told: Iterable[str], *, interrupted: bool) -> Seen:
    """Return the problems in the report of a pass, and the subjects that certainly have no problem.

    * `told`: the subjects of the problems that people were told of before. If a pass over the whole fleet has no row
      for a recipe among them, the recipe has left the fleet, so its problem is over.
    * `interrupted`: True if a signal ended the pass. Then a problem of passes as a whole does not count as over.

    A pass over only some recipes says nothing about passes as a whole, nor about recipes without a row.
    """
    rows = {row.recipe: row for row in report.rows}
    problems = {name: problem for name, row in rows.items() if (problem := _problem(row)) is not None}
    undecided = {name for name, row in rows.items() if bucket_of(row) is ReportBucket.TO_PROMOTE}
    over = {name: _state_text(row) for name, row in rows.items() if name not in problems and name not in undecided}
    if report.population.selected != report.population.declared:
        return Seen(problems, over)
    if report.population.reported == report.population.selected:
        gone = {subject for subject in told if recipe_of(subject) and recipe_of(subject) not in rows}
        over |= dict.fromkeys(gone, "it is no longer in the fleet")
    if report.exit_code == HOLLOW:
        problems[PASS] = FleetProblem(PASS, "hollow", "", hollow_reason(report)[:LONGEST_REASON])
    elif not interrupted:
        over[PASS] = report.line
    return Seen(problems, over)


def hollow_reason(report: Report) -> str:
    """Return why a report is hollow: numbers do not add up, or no recipe is enrolled. The report's notes follow."""
    missing = gaps(report.population, report.counts, report.rows)
    return "; ".join(dict.fromkeys((*missing, *report.notes)))


def _problem(row: Row) -> FleetProblem | None:
    """Return the problem of one recipe that a person should be told of; None if there is no such problem."""
    bucket = bucket_of(row)
    if bucket not in _TOLD:
        return None
    return FleetProblem(row.recipe, _kind(row, bucket), _version(row, bucket), _reason(row)[:LONGEST_REASON])


def _kind(row: Row, bucket: ReportBucket) -> str:
    """Return the word for the kind of a problem in a row of the report, such as "red". `bucket` is the row's bucket.

    A release that is held back because of its trial has the same word in the pass that tried it and in later passes.
    """
    if bucket is ReportBucket.DAMAGED:
        return row.finding.status.state.value
    if bucket is not ReportBucket.NEEDS_PERSON:
        return bucket.value
    if row.result in _VERDICTS:
        return row.result.value
    if row.step.held_back is HeldBack.RED_BEFORE:
        return (Result.GREEN_NOT_PROMOTED if was_green(row.step.red) else Result.RED).value
    return row.step.held_back.value if row.step.held_back is not None else row.finding.cause.value


def _version(row: Row, bucket: ReportBucket) -> str:
    """Return the version of the release that a problem is about; "" if it is about none. `bucket` is the row's bucket.

    * DAMAGED and ORPHANED: the version of the canonical.
    * NEEDS_PERSON: the version of the wanted release; "" if no single release is wanted.
    * Any other bucket: "".
    """
    if bucket in {ReportBucket.DAMAGED, ReportBucket.ORPHANED}:
        return row.finding.have.version if row.finding.have is not None else ""
    want = row.finding.want
    return want.version if isinstance(want, Release) and bucket is ReportBucket.NEEDS_PERSON else ""


def _reason(row: Row) -> str:
    tried = row.outcome is not None and row.outcome.result is not Result.NONE
    return row.outcome.reason if row.outcome is not None and tried else row.step.reason


def _state_text(row: Row) -> str:
    """Return the state of a recipe without a problem, such as "in sync, the canonical is 1.2.0"."""
    have = f"the canonical is {row.finding.have.version}" if row.finding.have is not None else "no canonical"
    return f"{bucket_of(row).replace('_', ' ')}, {have}"


def seen_of_timer(last: LastWholePass, text: str) -> Seen:
    """Return what is known of one problem: the last pass over the whole fleet is too old.

    If the pass is too old, the problem exists. Otherwise the problem is over. `text` says when the pass ended, and how
    old it may become.
    """
    if last.is_stale:
        return Seen({TIMER: FleetProblem(TIMER, "stale", "", text)})
    return Seen(over={TIMER: text})


def failed_pass(reason: str) -> Seen:
    """Return a problem that says that a whole pass ended with an error. `reason` is the text of the error."""
    return Seen({PASS: FleetProblem(PASS, "pass-failed", "", reason[:LONGEST_REASON])})


def both(first: Seen, second: Seen) -> Seen:
    """Return all that `first` and `second` have, as one value. `first` and `second` must be about different subjects.

    For example, one is about recipes, and the other about how old the last whole pass is.
    """
    problems: Mapping[str, FleetProblem] = {**first.problems, **second.problems}
    return Seen(problems, {**first.over, **second.over})
