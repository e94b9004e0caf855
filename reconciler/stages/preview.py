"""A dry run: observes and plans, and changes nothing."""

from collections.abc import Collection

from attrs import frozen

from reconciler.core.basis import Basis, basis_of
from reconciler.core.plan import Plan
from reconciler.core.report import Report, ReportCommand, Row, summarise
from reconciler.core.schedule import parallel_notes
from reconciler.core.trial_budget import budget_notes
from reconciler.ports.host import Host
from reconciler.stages.drift_of_recipes import drift_by_recipe
from reconciler.stages.observe import Observations, observe
from reconciler.stages.pending_clean_up import lasting_clean_up_by_folders
from reconciler.stages.planning import RunRequest, context_for, plan_for
from reconciler.stages.prune_images import prunable_images
from reconciler.stages.reporting import expected_recipes, gate_of, run_of, unreadable_notes
from reconciler.stages.way_notes import closed_notes, due_notes
from state.records import Records


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
    rows = [Row(step, gate_of(host, request, step, None), drift=drift[step.recipe]) for step in plan.steps.values()]
    notes = (*_read_notes(records, request.fleet.recipes), *parallel_notes(plan, request.parallel), *budget_notes(plan))
    if is_drift:
        notes += closed_notes(host, records, observed.observations)
    else:
        notes += due_notes(host, observed.observations, records, request.ways)
        cleaned_up = lasting_clean_up_by_folders(host, request.fleet, records)
        notes += (*cleaned_up.texts, *cleaned_up.unknown, *prunable_images(host, request, records).notes)
    run, expected = run_of(host, request, started_at), expected_recipes(request, records, observed)
    report = summarise(run, expected, rows, notes)
    basis = basis_of(plan, observed.observations, context_for(host, request), request.fleet)
    return Preview(report, plan, basis, records, observed)


def _read_notes(records: Records, declared: Collection[str]) -> tuple[str, ...]:
    """Return notes on the reading of the records: that a copy of the registry was read, or that records are unreadable.

    Unreadable records of declared recipes have no note here, because those recipes have a row.
    """
    note = "a dead pass left a journal of SQLite: a private copy of the registry was read; the next pass recovers it"
    return ((note,) if records.copied else ()) + unreadable_notes(records, declared)
