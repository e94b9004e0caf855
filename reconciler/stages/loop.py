"""One pass: recover, observe, mirror, compare, plan, converge, read back, report."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress

from attrs import evolve, frozen

from reconciler.core.exit_codes import SIGNALLED
from reconciler.core.findings import Cause
from reconciler.core.needs import keeps_running
from reconciler.core.observation import State
from reconciler.core.outcome import Outcome, Result
from reconciler.core.plan import Plan
from reconciler.core.report import Report, summarise
from reconciler.core.saved_plan import within
from reconciler.core.trial_budget import budget_notes, over_budget
from reconciler.errors import reason_of
from reconciler.ports.host import Host, Progress
from reconciler.ports.workers import Workers
from reconciler.promotion.running_canonical import record_seen_up
from reconciler.stages.converge import ConvergeContext
from reconciler.stages.disk_record import disk_record
from reconciler.stages.ended_holds import end_passed_holds
from reconciler.stages.mirror import MirrorResult, update_mirrors
from reconciler.stages.observe import Observations, observe, observe_again, with_tests_now
from reconciler.stages.planning import RunRequest, plan_for, planned_work
from reconciler.stages.prune_images import PrunedImages, prune_images
from reconciler.stages.push import push_mirrors, push_notes
from reconciler.stages.record_drift import record_drift
from reconciler.stages.recover import recover
from reconciler.stages.reporting import (
    PassResults,
    expected_recipes,
    gating_results,
    pass_row,
    run_of,
    unreadable_notes,
)
from reconciler.stages.trial_rounds import carry_out
from reconciler.stages.unselected_deployments import unselected_notes
from reconciler.stages.way_notes import way_note
from reconciler.stages.ways_of_canonicals import TriedWays, try_ways
from state.pass_progress import PlannedWork
from state.records import LedgerEntry, Records


@frozen
class Pass:
    """The result of a pass. `signal` is the number of the signal that interrupted it; None if none did."""

    report: Report
    signal: int | None


@frozen
class _ReadBack:
    """What a pass finds after its steps.

    * `records`, `observed`: the records, and the observations of this host.
    * `left`: the plan of what is still to be done.
    * `notes`: sentences for the report.
    """

    records: Records
    observed: Observations
    left: Plan
    notes: tuple[str, ...]


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
    notes, before = _begin(host, request)
    mirrored = update_mirrors(host, observe(host, request.fleet, request.names, before))
    # A release whose signature was checked now may be the one that is deployed of a need.
    mirrored = evolve(mirrored, observed=with_tests_now(request.fleet, mirrored.observed, before))
    pushed = push_mirrors(host, mirrored)
    context = _context(host, request, mirrored)
    report_plan(planned_work(context.plan, context.observations), over_budget(context.plan))
    done = carry_out(context, workers, report_outcome)
    tried = _try_ways(host, request, mirrored.observed, done.signal)
    notes += (*_gating_notes(done.outcomes.values()), *tried.notes)
    after = _read_back(host, request, mirrored.observed)
    pruned = _prune_images(host, request, after.records, tried.signal)
    notes += (*after.notes, *pruned.notes, *budget_notes(done.plan))
    notes += unselected_notes(host, request, _tried(done.outcomes.values(), tried), after.records)
    notes += (*unreadable_notes(after.records, request.fleet.recipes), *mirrored.notes, *push_notes(pushed))
    results = PassResults(done.outcomes, tried.results, pushed, before)
    rows = [pass_row(host, request, step, results) for step in after.left.steps.values()]
    expected = expected_recipes(request, after.records, after.observed)
    report = summarise(run_of(host, request, started_at), expected, rows, notes)
    return _end(host, request, report, pruned.signal, after.records)


def _begin(host: Host, request: RunRequest) -> tuple[tuple[str, ...], Records]:
    """Repair what a dead pass left, and append the beginning of this pass to the ledger. End holds that have passed.

    Return notes for the report, and the records as they are then.
    """
    notes = recover(host, request.fleet)
    begun = {"trigger": host.place.trigger, "place": host.place.digest, "notes": list(notes)}
    notes += _append_to_ledger(host, "pass", begun)
    records = host.registry.read()
    selected = {name: request.fleet.recipes[name] for name in request.names}
    return notes + end_passed_holds(host, selected, records), records


def _context(host: Host, request: RunRequest, mirrored: MirrorResult) -> ConvergeContext:
    """Plan the pass, and return what its steps need. Of a saved plan, only steps that are still due are taken."""
    plan = within(plan_for(host, request, mirrored.observed), request.planned)
    return ConvergeContext(host, request.fleet, plan, mirrored.observed.observations, mirrored.mirror_errors)


def _try_ways(host: Host, request: RunRequest, observed: Observations, signal: int | None) -> TriedWays:
    """Try the ways of canonicals that are due, and return what came of them.

    None is tried if the pass was interrupted by the signal with the number `signal`, or if it carries out a saved plan.
    """
    if signal is not None or request.planned is not None:
        return TriedWays({}, (), signal)
    return try_ways(host, request.fleet, observed, request.ways)


def _read_back(host: Host, request: RunRequest, observed: Observations) -> _ReadBack:
    """Observe this host again, with upstream's answers from `observed`. Record drift, and what is up."""
    records = host.registry.read()
    after = observe_again(host, request.fleet, observed, records)
    _record_what_is_up(host, after)
    left = plan_for(host, evolve(request, retry=()), after)
    findings = [step.finding for step in left.steps.values()]
    notes = record_drift(host, findings, records.drift, whole=_is_whole(request))
    return _ReadBack(records, after, left, notes)


def _prune_images(host: Host, request: RunRequest, records: Records, signal: int | None) -> PrunedImages:
    """Prune images as `prune_images` does, but none if the pass was interrupted by the signal with this number."""
    return prune_images(host, request, records) if signal is None else PrunedImages(signal=signal)


def _end(host: Host, request: RunRequest, report: Report, signal: int | None, records: Records) -> Pass:
    """Append the end of the pass to the ledger. Return the result of the pass. `records` are those after its steps.

    If a signal interrupted the pass, the report's exit code becomes that of the signal.
    """
    report = with_exit_code_of(signal, report)
    disk = disk_record(host, request.names, records)
    ended = {"signal": signal, **_ledger_facts(report, request), "disk": disk}
    return Pass(evolve(report, notes=(*report.notes, *_append_to_ledger(host, "pass-end", ended))), signal)


def with_exit_code_of(signal: int | None, report: Report) -> Report:
    """Return the report with the exit code of the signal with this number; unchanged if it is None."""
    return report if signal is None else evolve(report, exit_code=SIGNALLED + signal)


def _is_whole(request: RunRequest) -> bool:
    """Return whether all recipes of the fleet are selected."""
    return set(request.names) == set(request.fleet.recipes)


def _gating_notes(outcomes: Iterable[Outcome]) -> tuple[str, ...]:
    """Return a note on the result of each way that was tried because a promotion depended on it."""
    return tuple(way_note(result) for outcome in outcomes for result in gating_results(outcome))


def _tried(outcomes: Iterable[Outcome], ways: TriedWays) -> frozenset[str]:
    """Return the recipes of which a release was to be tried, or of which a way was tried."""
    return frozenset(
        {outcome.step.recipe for outcome in outcomes if outcome.step.release is not None} | {*ways.results}
    )


def _ledger_facts(report: Report, request: RunRequest) -> Mapping[str, object]:
    """Return what the ledger keeps of the end of a pass: results, exit code, and recipes that could not be observed.

    The key "selected" has the names of the recipes that the pass was about; None if it was about the whole fleet.
    """
    return {
        "exit_code": report.exit_code,
        "line": report.line,
        "results": {row.recipe: row.result for row in report.rows if row.result is not Result.NONE},
        "selected": None if _is_whole(request) else sorted(request.names),
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


def _append_to_ledger(host: Host, kind: str, body: Mapping[str, object]) -> tuple[str, ...]:
    """Append an entry about a whole pass: its `kind`, and `body` as its data. Return a note if that fails; else ()."""
    try:
        host.registry.append([LedgerEntry(host.clock.now(), kind, "", {"pass": host.pass_id, **body})])
    except Exception as failed:  # noqa: BLE001  a note reports it; the pass goes on
        return (f"this {kind} could not be appended to the ledger: {reason_of(failed)}",)
    return ()
