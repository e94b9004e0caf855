"""The columns of a report's table. For each column, a function returns the cell of one recipe."""

from collections.abc import Callable, Mapping
from typing import Final

from attrs import frozen

from desired.releases import Release
from reconciler.core.findings import Cause, MirrorState
from reconciler.core.gate import ConditionStatus
from reconciler.core.observation import State
from reconciler.core.outcome import Result
from reconciler.core.plan import Action
from reconciler.core.push_state import PushState
from reconciler.core.report import Report, ReportCommand, Row, Run, bucket_of
from reconciler.core.sizes import size
from reconciler.core.tier_results import Trial, level
from reconciler.show.labels import ACTION_WORDS, BUCKETS, STATE_SENTENCES
from reconciler.show.quantities import age, short
from reconciler.show.text.clauses import clause, needs_you
from reconciler.show.text.screen import NOTHING, Cell, Style

NOT_KNOWN: Final = "?"

_CAUSES: Final[Mapping[Cause, Style]] = {
    Cause.IN_SYNC: Style.FAINT,
    Cause.NEVER_RELEASED: Style.FAINT,
    Cause.FIRST_RELEASE: Style.DOING,
    Cause.NEW_RELEASE: Style.DOING,
    Cause.UNOBSERVABLE: Style.BAD,
}
_STATES: Final[Mapping[State, Style]] = {
    State.NONE: Style.FAINT,
    State.INTACT: Style.PLAIN,
    State.DAMAGED: Style.BAD,
    State.DOWN: Style.BAD,
    State.UNKNOWN: Style.BAD,
}
_RESULTS: Final[Mapping[Result, Style]] = {
    Result.NONE: Style.FAINT,
    Result.PROMOTED: Style.GOOD,
    Result.REPAIRED: Style.GOOD,
    Result.NOT_TRIED: Style.WARN,
}
_MARKS: Final[Mapping[ConditionStatus, str]] = {
    ConditionStatus.PASS: "+",
    ConditionStatus.FAIL: "-",
    ConditionStatus.OPEN: ".",
}


@frozen
class Column:
    """A column of a report's table: its title, and a function that returns its cell for one row of a run's report."""

    title: str
    cell: Callable[[Row, Run], Cell]


def _recipe(row: Row, _: Run) -> Cell:
    return Cell(row.recipe, Style.STRONG)


def _want(row: Row, _: Run) -> Cell:
    return Cell(wanted_version(row))


def wanted_version(row: Row) -> str:
    """Return the version of the wanted release; "?" if it is not known, "-" if there is none."""
    match row.finding.want:
        case Release(version=version):
            return version
        case want:
            return NOT_KNOWN if row.finding.cause in {Cause.UNOBSERVABLE, Cause.AMBIGUOUS} and want else NOTHING


def _have(row: Row, _: Run) -> Cell:
    return Cell(row.finding.have.version if row.finding.have else NOTHING)


def _cause(row: Row, _: Run) -> Cell:
    return Cell(row.finding.cause, _CAUSES.get(row.finding.cause, Style.WARN))


def _state(row: Row, _: Run) -> Cell:
    return Cell(row.finding.status.state, _STATES[row.finding.status.state])


def _mirror(row: Row, _: Run) -> Cell:
    """Return a cell: how our mirror compares with upstream, and "push failed" if its push to the forge failed."""
    mirror = row.finding.mirror
    if row.push is PushState.FAILED:
        return Cell("push failed" if mirror is MirrorState.EQUAL else f"{mirror}, push failed", Style.BAD)
    return Cell(mirror, Style.FAINT if mirror is MirrorState.EQUAL else Style.PLAIN)


def _action(row: Row, _: Run) -> Cell:
    return Cell(ACTION_WORDS[row.step.action], Style.FAINT if row.step.action is Action.NONE else Style.DOING)


def _result(row: Row, _: Run) -> Cell:
    return Cell(row.result, _RESULTS.get(row.result, Style.BAD))


def _clause(row: Row, _: Run) -> Cell:
    return Cell(clause(row), Style.WARN if needs_you(row) else Style.PLAIN)


def _why(row: Row, run: Run) -> Cell:
    return Cell(why(row, run), Style.WARN if needs_you(row) else Style.PLAIN)


def why(row: Row, run: Run) -> str:
    """Return the long text for a recipe in WHY. Its longest form is "needs you: held: REASON; first seen 3 d ago"."""
    marks = ["needs you"] if needs_you(row) else []
    if row.step.held_back and (row.result is Result.NONE or _was_redeployed(row)):
        marks.append(row.step.held_back)
    return "; ".join([": ".join([*marks, reason_of_row(row)]), *_ages(row, run)])


def reason_of_row(row: Row) -> str:
    """Return the reason of the row's result. If the row has no result, or NONE, return the reason of the row's step.

    Up to two reasons are appended:

    * the reason of the step that is left to do, if the pass only deployed the canonical again and the recipe differs
      still.
    * the reason of the canonical's state, such as a damage, if there is one and the text does not have it yet.
    """
    reason = row.outcome.reason if row.outcome is not None and row.result is not Result.NONE else row.step.reason
    if _was_redeployed(row) and row.finding.cause is not Cause.IN_SYNC:
        reason = f"{reason}; {row.step.reason}"
    status = row.finding.status
    return reason if status.reason in reason else f"{reason}; {STATE_SENTENCES[status.state]}: {status.reason}"


def _was_redeployed(row: Row) -> bool:
    """Return whether the pass only deployed the recipe's canonical again, without trying a release."""
    return row.outcome is not None and row.outcome.step.action is Action.REDEPLOY


def _ages(row: Row, run: Run) -> list[str]:
    """Return up to two texts: when the wanted release was "first seen", when the kept deployment was "last seen up".

    An unknown time is left out. Return an empty list if the report is not one of `reconcile drift`.
    """
    times = {"first seen": row.finding.since, "last seen up": row.finding.status.last_up}
    shown = times.items() if run.command is ReportCommand.DRIFT else ()
    return [f"{event} {age(when, run.finished_at)} ago" for event, when in shown if when is not None]


# ---- only in the wide table ----


def _full_want(row: Row, run: Run) -> Cell:
    """Return a cell with the wanted release as VERSION@COMMIT; "?" if it is not known, "-" if there is none."""
    want = row.finding.want
    return Cell(f"{want.version}@{short(want.commit)}") if isinstance(want, Release) else _want(row, run)


def _full_have(row: Row, run: Run) -> Cell:
    """Return a cell with the canonical's release as VERSION@COMMIT; "-" if there is no canonical."""
    have = row.finding.have
    return Cell(f"{have.version}@{short(have.commit)}") if have else _have(row, run)


def _held_back(row: Row, _: Run) -> Cell:
    return Cell(row.step.held_back or NOTHING)


def _gate(row: Row, _: Run) -> Cell:
    """Return a cell with each condition of the gate: its first letter, and + (met), - (not met), . (not judged yet)."""
    return Cell(" ".join(f"{item.name[:1].upper()}{_MARKS[item.status]}" for item in row.gate) or NOTHING)


def _since(row: Row, run: Run) -> Cell:
    """Return a cell with how long the recipe has differed; "-" if it does not differ, or if the time is not known."""
    since = row.finding.differs_since
    return Cell(age(since, run.finished_at) if since else NOTHING)


def _lineage(row: Row, _: Run) -> Cell:
    return Cell(" → ".join(row.finding.have.lineage) if row.finding.have else NOTHING)


def _level(row: Row, _: Run) -> Cell:
    """Return a cell with the level of the recipe's trial, such as "3/4": this pass's trial, else the canonical's."""
    trial, have = _last_trial(row), row.finding.have
    return Cell(level(trial.tiers) if trial else have.evidence.level if have else NOTHING)


def _tried(row: Row, run: Run) -> Cell:
    """Return a cell with how long ago the recipe's trial ended: this pass's trial, else the canonical's."""
    trial, have = _last_trial(row), row.finding.have
    when = trial.finished_at if trial else have.evidence.finished_at if have else None
    return Cell(age(when, run.finished_at) if when else NOTHING)


def _trial(row: Row, _: Run) -> Cell:
    """Return a cell with the id of the recipe's trial: this pass's trial, else the canonical's."""
    trial, have = _last_trial(row), row.finding.have
    return Cell(trial.id if trial else have.evidence.trial if have else NOTHING)


def _last_trial(row: Row) -> Trial | None:
    """Return the trial of the recipe in this pass; None if there was none."""
    return row.outcome.attempt.trial if row.outcome else None


def _size(row: Row, _: Run) -> Cell:
    return Cell(size(row.finding.have.seal.bytes) if row.finding.have else NOTHING)


def _bucket(row: Row, _: Run) -> Cell:
    return Cell(BUCKETS[bucket_of(row)])


_COMPARED: Final = (Column("CAUSE", _cause), Column("STATE", _state))
_NAMES: Final = (Column("RECIPE", _recipe), Column("WANT", _want), Column("HAVE", _have))
_FULL_NAMES: Final = (Column("RECIPE", _recipe), Column("WANT", _full_want), Column("HAVE", _full_have))
_PLANNED: Final = (Column("ACTION", _action),)
_AFTER_PASS: Final = (Column("RESULT", _result),)
_LEFT: Final = (Column("LEFT", _action),)
_MIRROR: Final = (Column("MIRROR", _mirror),)
_MORE: Final = (
    Column("HELD", _held_back),
    Column("GATE", _gate),
    Column("SINCE", _since),
    Column("LINEAGE", _lineage),
    Column("LEVEL", _level),
    Column("TRIED", _tried),
    Column("TRIAL", _trial),
    Column("SIZE", _size),
    Column("COUNTED", _bucket),
)
WHY: Final = Column("WHY", _why)
CLAUSE: Final = Column("WHY", _clause)


def columns_of(report: Report, *, wide: bool) -> tuple[Column, ...]:
    """Return the columns of a report's table, without the last one, WHY. A `wide` table has more columns."""
    is_pass = report.run.command is ReportCommand.PASS
    acting = _AFTER_PASS if is_pass else _PLANNED
    if wide:
        return (*_FULL_NAMES, *_COMPARED, *_MIRROR, *acting, *(_LEFT if is_pass else ()), *_MORE)
    failed = any(row.push is PushState.FAILED for row in report.rows)
    return (*_NAMES, *_COMPARED, *(_MIRROR if failed else ()), *acting)
