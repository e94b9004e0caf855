"""Counts recipes into buckets, checks that the sums match, and chooses the exit code."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final

from attrs import field, frozen

from reconciler.core.drift import NO_DRIFT, RecipeDrift
from reconciler.core.exit_codes import COULD_NOT, DAMAGED, GRAVEST_FIRST, HOLLOW, IN_SYNC, NEEDS_PERSON, WANTED
from reconciler.core.expected_recipes import ExpectedRecipes
from reconciler.core.findings import Cause, Finding
from reconciler.core.gate import Condition
from reconciler.core.observation import State
from reconciler.core.outcome import Outcome, Result
from reconciler.core.plan import Action, HeldBack, Step
from reconciler.core.population import Population
from reconciler.core.push_state import PushState
from reconciler.core.ways import WayResult
from state.records import Canonical, Place


class ReportCommand(StrEnum):
    """The command whose report this is. PASS is `reconcile` alone."""

    PLAN = "plan"
    PASS = "pass"  # noqa: S105  a command, no password
    DRIFT = "drift"
    STATUS = "status"
    TRIAL = "trial"


class ReportBucket(StrEnum):
    """The groups in which recipes are counted, the gravest first."""

    INFRASTRUCTURE = "infrastructure"
    UNOBSERVABLE = "unobservable"
    NEEDS_PERSON = "needs_person"
    DAMAGED = "damaged"
    TO_PROMOTE = "to_promote"
    HELD = "held_back"
    NEVER_RELEASED = "never_released"
    IN_SYNC = "in_sync"
    EXCEPTED = "excepted"
    ORPHANED = "orphaned"
    IGNORED = "ignored"


@frozen
class Row:
    """One recipe in a report.

    * `step`: what is still to be done.
    * `gate`: the conditions of the recipe's promotion.
    * `outcome`: what the pass did; None in a dry run.
    * `previous`: the canonical before the pass; None if there was none.
    * `drift`: how the recipe differs from what it should be; empty after a pass.
    * `push`: what came of the push to the forge; None if no mirror was pushed.
    * `ways`: the results of the ways that a pass tried.
    """

    step: Step
    gate: tuple[Condition, ...]
    outcome: Outcome | None = None
    previous: Canonical | None = None
    drift: RecipeDrift = NO_DRIFT
    push: PushState | None = None
    ways: Sequence[WayResult] = ()

    @property
    def recipe(self) -> str:
        return self.step.recipe

    @property
    def finding(self) -> Finding:
        return self.step.finding

    @property
    def result(self) -> Result:
        return self.outcome.result if self.outcome is not None else Result.NONE


@frozen
class Run:
    """The run that a report is about. `fleet` is the revision of the fleet folder, `canon` that of this program."""

    command: ReportCommand
    id: str
    started_at: datetime
    finished_at: datetime
    place: Place
    canon: str
    fleet: str


@frozen
class Report:
    """The report of one run. `counts`: the recipes in each bucket. `line`: the last line. `notes`: those on the run."""

    run: Run
    population: Population
    rows: tuple[Row, ...]
    counts: Mapping[ReportBucket, int]
    line: str
    exit_code: int
    notes: tuple[str, ...] = field(factory=tuple)


def summarise(run: Run, expected: ExpectedRecipes, rows: Iterable[Row], notes: Sequence[str] = ()) -> Report:
    """Return the report with the rows `rows`, sorted by recipe, and the notes `notes`.

    If the rows are not exactly the expected recipes, the exit code is HOLLOW (5), and one more note says why.
    """
    rows = tuple(sorted(rows, key=lambda row: row.recipe))
    decided = [row for row in rows if row.step.finding.cause is not Cause.ORPHANED]
    is_pass = run.command is ReportCommand.PASS
    planned = [row for row in rows if (_has_planned_trial if is_pass else _would_be_tried)(row)]
    population = Population(
        declared=expected.declared,
        selected=len(expected.selected),
        enrolled=sum(expected.selected.values()),
        excepted=len(expected.selected) - sum(expected.selected.values()),
        observed=expected.observed,
        decided=len(decided),
        reported=len({row.recipe for row in decided} & set(expected.selected)),
        orphaned=len(expected.orphans),
        to_try=len(planned),
        tried=sum(row.outcome is not None and row.outcome.attempt.trial is not None for row in planned),
    )
    counted = Counter(bucket_of(row) for row in rows)
    counts = {bucket: counted.get(bucket, 0) for bucket in ReportBucket}
    notes = (*notes, *gaps(population, counts, rows))
    line = closing_line(population, counts) + (_tried(population) if is_pass else "")
    return Report(run, population, rows, counts, line, exit_code(population, counts, rows), notes)


def _has_planned_trial(row: Row) -> bool:
    return row.outcome is not None and row.outcome.step.release is not None


def _would_be_tried(row: Row) -> bool:
    return row.step.release is not None


def _tried(population: Population) -> str:
    """Return a text on how many of the planned trials took place; "" if none was planned."""
    return f"; {population.tried} of {population.to_try} tried" if population.to_try else ""


def bucket_of(row: Row) -> ReportBucket:
    """Return the bucket of a recipe: ORPHANED, EXCEPTED or IGNORED if one applies, else the gravest one that applies.

    If no bucket applies, return IN_SYNC. The state of the mirror does not count.
    """
    step, cause, state = row.step, row.finding.cause, row.finding.status.state
    applies = {
        ReportBucket.ORPHANED: cause is Cause.ORPHANED,
        ReportBucket.EXCEPTED: step.held_back is HeldBack.EXCEPTED,
        ReportBucket.IGNORED: row.drift.is_ignored,
        ReportBucket.INFRASTRUCTURE: row.result is Result.INFRASTRUCTURE,
        ReportBucket.UNOBSERVABLE: cause is Cause.UNOBSERVABLE or state is State.UNKNOWN,
        ReportBucket.NEEDS_PERSON: step.needs_person or row.result in {Result.RED, Result.GREEN_NOT_PROMOTED},
        ReportBucket.DAMAGED: state in {State.DAMAGED, State.DOWN},
        ReportBucket.TO_PROMOTE: step.action is Action.PROMOTE or step.held_back is HeldBack.OVER_BUDGET,
        ReportBucket.HELD: step.held_back in {HeldBack.HELD, HeldBack.TOO_YOUNG},
        ReportBucket.NEVER_RELEASED: cause is Cause.NEVER_RELEASED,
    }
    return next((bucket for bucket, is_right in applies.items() if is_right), ReportBucket.IN_SYNC)


CODE_OF: Final[Mapping[ReportBucket, int]] = {
    ReportBucket.INFRASTRUCTURE: COULD_NOT,
    ReportBucket.UNOBSERVABLE: COULD_NOT,
    ReportBucket.NEEDS_PERSON: NEEDS_PERSON,
    ReportBucket.ORPHANED: NEEDS_PERSON,
    ReportBucket.DAMAGED: DAMAGED,
    ReportBucket.TO_PROMOTE: WANTED,
    **dict.fromkeys((ReportBucket.HELD, ReportBucket.NEVER_RELEASED, ReportBucket.IN_SYNC), IN_SYNC),
    **dict.fromkeys((ReportBucket.EXCEPTED, ReportBucket.IGNORED), IN_SYNC),
}


def exit_code(population: Population, counts: Mapping[ReportBucket, int], rows: Iterable[Row]) -> int:
    """Return the gravest exit code among all rows; HOLLOW (5) if nothing is enrolled or the numbers do not add up."""
    rows = tuple(rows)
    codes = {CODE_OF[bucket] for bucket, count in counts.items() if count}
    if any(_is_unknown_orphan(row) for row in rows):
        codes.add(COULD_NOT)
    if gaps(population, counts, rows):
        codes.add(HOLLOW)
    return next((code for code in GRAVEST_FIRST if code in codes), IN_SYNC)


def _is_unknown_orphan(row: Row) -> bool:
    """Return whether the row is an orphan of unknown state. It is counted as an orphan, but has a graver exit code."""
    return row.finding.cause is Cause.ORPHANED and row.finding.status.state is State.UNKNOWN


def gaps(population: Population, counts: Mapping[ReportBucket, int], rows: Iterable[Row]) -> tuple[str, ...]:
    """Return a message for each number that does not add up, and one if no recipe is enrolled; () if all is right.

    Every selected recipe must be observed, decided, reported and counted exactly once.
    """
    stages = {"observed": population.observed, "decided": population.decided, "reported": population.reported}
    missing = [
        f"{population.selected} recipes selected but {count} {stage}"
        for stage, count in stages.items()
        if count != population.selected
    ]
    counted = sum(counts.values()) - counts[ReportBucket.ORPHANED] - counts[ReportBucket.EXCEPTED]
    if counted != population.enrolled:
        missing.append(f"{population.enrolled} recipes enrolled but {counted} counted")
    if counts[ReportBucket.ORPHANED] != population.orphaned:
        missing.append(f"{population.orphaned} recipes orphaned but {counts[ReportBucket.ORPHANED]} counted")
    times = Counter(row.recipe for row in rows)
    missing += [f"{name} is reported {count} times" for name, count in times.items() if count > 1]
    if population.enrolled == 0:
        missing.append("nothing is enrolled")
    return tuple(missing)


def closing_line(population: Population, counts: Mapping[ReportBucket, int]) -> str:
    """Return the last line of a report, with the counts. Other programs may read it, so its form must not change.

    What a pass tried is not in it.
    """
    parts = [
        f"{counts[ReportBucket.IN_SYNC]} in sync",
        f"{counts[ReportBucket.TO_PROMOTE]} to promote",
        f"{counts[ReportBucket.DAMAGED]} damaged",
        f"{counts[ReportBucket.HELD]} held",
        f"{counts[ReportBucket.NEEDS_PERSON]} {'needs' if counts[ReportBucket.NEEDS_PERSON] == 1 else 'need'} you",
        f"{counts[ReportBucket.NEVER_RELEASED]} never released",
        f"{counts[ReportBucket.UNOBSERVABLE]} unobservable",
    ]
    rare = (ReportBucket.INFRASTRUCTURE, ReportBucket.IGNORED)
    parts += [f"{counts[bucket]} {bucket}" for bucket in rare if counts[bucket]]
    is_whole = population.selected == population.declared
    selected = "" if is_whole else f"{population.selected} of {population.declared} selected: "
    enrolled = population.enrolled
    outside = f"{counts[ReportBucket.EXCEPTED]} excepted, {counts[ReportBucket.ORPHANED]} orphaned"
    decided = population.decided - population.excepted
    return f"{selected}{enrolled} enrolled, {decided} decided: {', '.join(parts)}; {outside}"
