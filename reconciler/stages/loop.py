"""One pass: recover, observe, mirror, compare, plan, converge, read back, report. A dry run stops after the plan."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from attrs import evolve, frozen

from reconciler.core.basis import Basis, basis_of
from reconciler.core.expected_recipes import ExpectedRecipes
from reconciler.core.findings import Cause
from reconciler.core.gate import Condition, gate, unheld
from reconciler.core.needs import keeps_running
from reconciler.core.observation import State
from reconciler.core.outcome import Outcome, Result
from reconciler.core.plan import Plan, Step
from reconciler.core.report import Report, ReportCommand, Row, Run, summarise
from reconciler.core.saved_plan import within
from reconciler.core.schedule import parallel_notes
from reconciler.core.trial_budget import budget_notes, over_budget
from reconciler.core.ways import WayResult
from reconciler.errors import reason_of
from reconciler.ports.host import Host, Progress
from reconciler.ports.workers import Workers
from reconciler.promotion.running_canonical import record_seen_up
from reconciler.stages.converge import ConvergeContext
from reconciler.stages.disk_record import disk_record
from reconciler.stages.drift_of_recipes import drift_by_recipe
from reconciler.stages.ended_holds import end_passed_holds
from reconciler.stages.mirror import update_mirrors
from reconciler.stages.observe import Observations, observe, observe_again, unreadable_record_message
from reconciler.stages.planning import RunRequest, context_for, plan_for, planned_work
from reconciler.stages.prune_images import PrunedImages, prunable_notes, prune_images
from reconciler.stages.push import push_mirrors, push_notes, push_state
from reconciler.stages.record_drift import record_drift
from reconciler.stages.recover import recover
from reconciler.stages.trial_rounds import carry_out
from reconciler.stages.way_notes import closed_notes, due_notes, way_note
from reconciler.stages.ways_of_canonicals import TriedWays, try_ways
from state.pass_progress import PlannedWork
from state.records import LedgerEntry, Records


def preview(host: Host, request: RunRequest) -> Report:
    """Return the report of a dry run, which observes and plans, and changes nothing."""
    return preview_with_basis(host, request).report


@frozen
class Preview:
    """The report of a dry run, and what it was made from.

    * `basis`: the digests of everything on which the plan depends.
    * `records`, `observed`: the records and the observations that the plan was made from.
    """

    report: Report
    plan: Plan
    basis: Basis
    records: Records
    observed: Observations


def preview_with_basis(host: Host, request: RunRequest) -> Preview:
    """Observe and plan, and change nothing. Return the report, the plan, and the digests of what the plan rests on."""
    started_at, records = host.clock.now(), host.registry.read()
    observed = observe(host, request.fleet, request.names, records)
    plan = plan_for(host, request, observed)
    is_drift = request.command is ReportCommand.DRIFT
    drift = drift_by_recipe(host, request.fleet.recipes, records, plan.steps.values(), counts_ignored=is_drift)
    rows = [Row(step, _gate(host, request, step, None), drift=drift[step.recipe]) for step in plan.steps.values()]
    notes = (*_read_notes(records, request.fleet.recipes), *parallel_notes(plan, request.parallel), *budget_notes(plan))
    if is_drift:
        notes += closed_notes(host, records, observed.observations)
    else:
        notes += due_notes(host, observed.observations, records, request.ways)
        notes += prunable_notes(host, request, records)
    run, expected = _run(host, request, started_at), _expected_recipes(request, records, observed)
    report = summarise(run, expected, rows, notes)
    basis = basis_of(plan, observed.observations, context_for(host, request), request.fleet)
    return Preview(report, plan, basis, records, observed)


@frozen
class Pass:
    """The result of a pass. `signal` is the number of the signal that interrupted it; None if none did."""

    report: Report
    signal: int | None


def reconcile(
    host: Host,
    request: RunRequest,
    report_outcome: Callable[[Outcome], None] = lambda _: None,
    workers: Workers | None = None,
    report_plan: Callable[[Sequence[PlannedWork], Sequence[str]], None] = lambda _, __: None,
) -> Pass:
    """Run one pass, and return its result. The caller holds the pass lock.

    * `report_outcome`: is called with each outcome at once.
    * `workers`: run several recipes at once; None to try one recipe after the other.
    * `report_plan`: is called once, with the steps that do something, and the recipes that wait because of `[budget]`.

    If a signal comes during a step, the step's trial is ended, and the remaining steps are reported as not tried. If a
    signal comes before the first step, raise InterruptedPassError.
    """
    started_at = host.clock.now()
    host = evolve(host, progress=_ProgressWithoutErrors(host.progress))
    notes = recover(host, request.fleet)
    begun = {"trigger": host.place.trigger, "place": host.place.digest, "notes": list(notes)}
    notes += _append_to_ledger(host, "pass", begun)
    records = host.registry.read()
    notes += end_passed_holds(host, request.names, records)
    mirror_result = update_mirrors(host, observe(host, request.fleet, request.names, records))
    pushed = push_mirrors(host, mirror_result)
    plan = within(plan_for(host, request, mirror_result.observed), request.planned)
    observations, errors = mirror_result.observed.observations, mirror_result.mirror_errors
    report_plan(planned_work(plan, observations), over_budget(plan))
    context = ConvergeContext(host, request.fleet, plan, observations, errors)
    done = carry_out(context, workers, report_outcome)
    signal = done.signal
    tried = TriedWays({}, ())
    if signal is None and request.planned is None:
        tried = try_ways(host, request.fleet, observations, request.ways)
        signal = tried.signal
    notes += (*_gating_notes(done.outcomes.values()), *tried.notes)
    recorded = host.registry.read()
    after = observe_again(host, request.fleet, mirror_result.observed, recorded)
    _record_what_is_up(host, after)
    left = plan_for(host, evolve(request, retry=()), after)
    whole = set(request.names) == set(request.fleet.recipes)
    notes += record_drift(host, [step.finding for step in left.steps.values()], recorded.drift, whole=whole)
    rows = [_row(host, request, step, done.outcomes.get(step.recipe), records) for step in left.steps.values()]
    ways = tried.results
    rows = [evolve(row, push=push_state(pushed.get(row.recipe)), ways=_ways_of(row, ways)) for row in rows]
    pruned = prune_images(host, request, recorded) if signal is None else PrunedImages(signal=signal)
    notes, signal = notes + pruned.notes, pruned.signal
    notes += (*budget_notes(done.plan), *_unreadable_notes(recorded, request.fleet.recipes))
    run, expected = _run(host, request, started_at), _expected_recipes(request, recorded, after)
    report = summarise(run, expected, rows, (*notes, *mirror_result.notes, *push_notes(pushed)))
    disk = disk_record(host, request.names, recorded)
    ended = {"signal": signal, **_ledger_facts(report, request, whole=whole), "disk": disk}
    return Pass(evolve(report, notes=(*report.notes, *_append_to_ledger(host, "pass-end", ended))), signal)


def _gating_notes(outcomes: Iterable[Outcome]) -> tuple[str, ...]:
    """Return a note on the result of each way that was tried because a promotion depended on it."""
    return tuple(way_note(result) for outcome in outcomes for result in _gating(outcome))


def _gating(outcome: Outcome | None) -> Sequence[WayResult]:
    trial = outcome.attempt.trial if outcome is not None else None
    return trial.ways.results if trial is not None else ()


def _ways_of(row: Row, tried: Mapping[str, Sequence[WayResult]]) -> Sequence[WayResult]:
    """Return the recipe's results of ways: of those on which its promotion depended, and then those in `tried`."""
    return (*_gating(row.outcome), *tried.get(row.recipe, ()))


def _row(host: Host, request: RunRequest, step: Step, outcome: Outcome | None, records: Records) -> Row:
    """Return the row of a recipe in the report of a pass. `records` are the records from before the pass."""
    return Row(step, _gate(host, request, step, outcome), outcome, records.canonicals.get(step.recipe))


def _ledger_facts(report: Report, request: RunRequest, *, whole: bool) -> Mapping[str, object]:
    """Return what the ledger keeps of the end of a pass: results, exit code, and recipes that could not be observed.

    The key "selected" has the names of the recipes that the pass was about; None if it was about the `whole` fleet.
    """
    return {
        "exit_code": report.exit_code,
        "line": report.line,
        "results": {row.recipe: row.result for row in report.rows if row.result is not Result.NONE},
        "selected": None if whole else sorted(request.names),
        "unobservable": [row.recipe for row in report.rows if row.finding.cause is Cause.UNOBSERVABLE],
    }


@frozen
class _ProgressWithoutErrors:
    """Shows progress by `progress`, and ignores its errors: a pass must go on even if its progress cannot be shown."""

    progress: Progress

    def step(self, recipe: str, doing: str, last_seconds: float | None = None) -> None:
        with suppress(Exception):
            self.progress.step(recipe, doing, last_seconds)

    def done(self, recipe: str, result: str) -> None:
        with suppress(Exception):
            self.progress.done(recipe, result)


def _record_what_is_up(host: Host, observed: Observations) -> None:
    """Record which kept deployments are up now. If one is down later, it is then known when it was last up."""
    for observation in observed.observations.values():
        if (
            observation.canonical is not None
            and observation.status.state is State.INTACT
            and keeps_running(observation.recipe)
        ):
            record_seen_up(host, observation.canonical)


def _gate(host: Host, request: RunRequest, step: Step, outcome: Outcome | None) -> tuple[Condition, ...]:
    """Return the conditions of the gate: those in `outcome`; if it has none, as before a trial. () for an orphan."""
    if outcome is not None and outcome.attempt.gate:
        return outcome.attempt.gate
    recipe = request.fleet.recipes.get(step.recipe)
    hold = step.hold.hold if step.hold is not None else None
    return (*gate(request.fleet, recipe, None, None, host.place), *unheld(hold)) if recipe is not None else ()


def _run(host: Host, request: RunRequest, started_at: datetime) -> Run:
    return Run(request.command, host.pass_id, started_at, host.clock.now(), host.place, host.canon, host.fleet)


def _expected_recipes(request: RunRequest, records: Records, observed: Observations) -> ExpectedRecipes:
    """Return the recipes that the report must contain. Orphans are among them only if the whole fleet is selected."""
    declared = request.fleet.recipes
    selected = {name: declared[name].enrolled for name in request.names}
    orphans = records.canonicals.keys() - declared.keys() if selected.keys() == declared.keys() else ()
    return ExpectedRecipes(len(declared), selected, len(observed.observations), orphans)


def _read_notes(records: Records, declared: Collection[str]) -> tuple[str, ...]:
    """Return notes on the reading of the records: that a copy of the registry was read, or that records are unreadable.

    Unreadable records of declared recipes have no note here, because those recipes have a row.
    """
    note = "a dead pass left a journal of SQLite: a private copy of the registry was read; the next pass recovers it"
    return ((note,) if records.copied else ()) + _unreadable_notes(records, declared)


def _unreadable_notes(records: Records, declared: Collection[str]) -> tuple[str, ...]:
    """Return a note for each unreadable record of a recipe that is not declared, since such a recipe has no row."""
    return tuple(
        f"{name}: {unreadable_record_message(name, records)}" for name in records.unreadable if name not in declared
    )


def _append_to_ledger(host: Host, kind: str, body: Mapping[str, object]) -> tuple[str, ...]:
    """Append an entry about a whole pass: its `kind`, and `body` as its data. Return a note if that fails; else ()."""
    try:
        host.registry.append([LedgerEntry(host.clock.now(), kind, "", {"pass": host.pass_id, **body})])
    except Exception as failed:  # noqa: BLE001  a note reports it; the pass goes on
        return (f"this {kind} could not be appended to the ledger: {reason_of(failed)}",)
    return ()
