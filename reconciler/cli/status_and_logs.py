"""`reconcile status` and `reconcile logs`: print records and logs without asking upstream."""

import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from desired.declarations.values import is_recipe_name
from desired.model import TierName
from reconciler.cli.command_context import CommandContext, load_context, require_declared
from reconciler.cli.composition import make_host
from reconciler.cli.options import Options, stdout_width
from reconciler.cli.standard_streams import print_answer
from reconciler.core.needs import keeps_running
from reconciler.core.observation import CanonicalStatus, State
from reconciler.core.report import Population, ReportCommand, Run
from reconciler.errors import UsageError
from reconciler.promotion.generations import snapshot_status
from reconciler.promotion.running_canonical import deployed_parts, deployment_status
from reconciler.show.documents.command_documents import logs_document, status_document
from reconciler.show.documents.report_document import Json, json_text
from reconciler.show.text.progress import SilentProgress
from reconciler.show.text.raise_and_logs import render_logs
from reconciler.show.text.screen import screen_for
from reconciler.show.text.status import Recorded, recorded, render_card, render_status
from reconciler.stages.observe import unreadable_record_message
from state.folder.logs import logged_trials
from state.records import Memory, Records
from state.registry.registry import SqliteRegistry
from state.snapshots.snapshots import SealedSnapshots


def status(options: Options, name: str | None) -> int:
    """Print the canonicals of all recipes, or only of the recipe `name`. Returns the exit code.

    Raises UsageError if `name` is neither declared nor recorded.
    """
    context = load_context(options)
    records = SqliteRegistry(context.state.database).read()
    if name is not None and name not in records.canonicals and name not in records.unreadable:
        require_declared(context, name)
    statuses = _statuses(context, records)
    rows = recorded(context.fleet, records, statuses, (name,) if name else options.recipes)
    now, screen = datetime.now(UTC), screen_for(stdout_width(), os.environ, no_color=options.no_color)
    code = _exit_code({row.status.state for row in rows})
    if options.json:
        return print_answer(json_text(_status_json(context, rows, now, code)), code)
    if name is not None:
        return print_answer(render_card(rows[0], screen, now), code)
    return print_answer(render_status(rows, screen, now, wide=options.output == "wide"), code)


def _status_json(context: CommandContext, rows: Sequence[Recorded], now: datetime, code: int) -> Json:
    """Return the JSON document of `reconcile status`, with the rows and the number of recipes of each kind."""
    host = make_host(context, SilentProgress(sys.stderr))
    run = Run(ReportCommand.STATUS, host.pass_id, now, datetime.now(UTC), host.place, host.canon, host.fleet)
    declared = [row for row in rows if row.declared]
    enrolled = sum(not row.exception for row in declared)
    shown = len(declared)
    population = Population(
        declared=len(context.fleet.recipes),
        selected=shown,
        enrolled=enrolled,
        excepted=shown - enrolled,
        observed=shown,
        decided=shown,
        reported=shown,
        orphaned=len(rows) - shown,
    )
    return status_document(run, population, rows, code)


def _exit_code(states: set[State]) -> int:
    """Return 1 if the state of a canonical is unknown, else 3 if one is damaged or down, else 0."""
    if State.UNKNOWN in states:
        return 1
    return 3 if states & {State.DAMAGED, State.DOWN} else 0


def _statuses(context: CommandContext, records: Records) -> dict[str, CanonicalStatus]:
    """Return the status of each recorded canonical, by recipe: its snapshot, and its deployment if it is kept running.

    A record that cannot be read has the state unknown.
    """
    snapshots = SealedSnapshots()
    statuses = {
        name: snapshot_status(snapshots, context.state, canonical, records.memories.get(name, Memory(name)))
        for name, canonical in records.canonicals.items()
    }
    statuses |= {
        name: CanonicalStatus(State.UNKNOWN, unreadable_record_message(name, records)) for name in records.unreadable
    }
    intact = [name for name, status in statuses.items() if status.state is State.INTACT]
    return statuses | _deployment_statuses(context, records, intact)


def _deployment_statuses(
    context: CommandContext, records: Records, intact: Sequence[str]
) -> dict[str, CanonicalStatus]:
    """Return the status of each kept deployment, by recipe. Asks no driver if there is none.

    `intact` names the recipes whose snapshot is intact. Other recipes are left out.
    """
    declared = context.fleet.recipes
    kept = {name: declared[name] for name in intact if name in declared and keeps_running(declared[name])}
    if not kept:
        return {}
    host = make_host(context, SilentProgress(sys.stderr))
    parts_by_recipe = deployed_parts(host, kept)
    return {name: deployment_status(host, records.canonicals[name], parts_by_recipe) for name in kept}


def logs(options: Options, name: str, trial: str | None) -> int:
    """Print the log of a trial of the recipe `name`, tier by tier. Returns the exit code.

    `trial` is the id of the trial, None for the latest. Raises UsageError if there is no such trial.
    """
    context = load_context(options)
    trials = logged_trials(context.state.trial_logs(name)) if is_recipe_name(name) else ()
    if not trials:
        require_declared(context, name)
        raise UsageError(f"no trial of {name} is logged", "a pass or `reconcile trial` makes one")
    chosen = trial or trials[-1]
    if chosen not in trials:
        raise UsageError(f"no trial {chosen} of {name}", f"there are: {', '.join(trials)}")
    order = [*TierName, "promote"]
    files = {tier: context.state.trial_log(name, chosen) / f"{tier}.log" for tier in order}
    logs_by_tier = {str(tier): path.read_text("utf-8", "replace") for tier, path in files.items() if path.exists()}
    if options.json:
        return print_answer(json_text(logs_document(name, chosen, logs_by_tier)), 0)
    screen = screen_for(stdout_width(), os.environ, no_color=options.no_color)
    return print_answer(render_logs(chosen, logs_by_tier, screen), 0)
