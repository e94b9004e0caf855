"""The parts of `reconcile status` that need the host: its JSON document, and the status of kept deployments.

This module is loaded only for these parts. Without the host, the table of snapshots is printed sooner.
"""

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from desired.model import Recipe
from reconciler.cli.command_context import CommandContext
from reconciler.cli.composition import make_host
from reconciler.cli.missing_state import missing_state_notes
from reconciler.cli.running import look_at_passes
from reconciler.core.last_pass import LastWholePass
from reconciler.core.observation import CanonicalStatus
from reconciler.core.population import Population
from reconciler.core.report import ReportCommand, Run
from reconciler.host.disk import HostDisk
from reconciler.promotion.running_canonical import deployed_parts, deployment_status
from reconciler.show.documents.command_documents import status_document
from reconciler.show.documents.pass_events import running_part
from reconciler.show.documents.report_document import json_text
from reconciler.show.text.disk import DiskStatus, disk_part
from reconciler.show.text.pass_age import stale_notes
from reconciler.show.text.progress import SilentProgress
from reconciler.show.text.status import Recorded
from state.records import Records


def status_json(context: CommandContext, rows: Sequence[Recorded], last: LastWholePass, code: int) -> str:
    """Return what `reconcile status -o json` prints: one JSON object with these parts.

    * an entry for each recipe in `rows`, which are the recipes to show.
    * how many recipes are declared, shown, excepted, orphaned and so on.
    * the pass that runs now (null if none does), and the use of the disk.
    * notes that no state folder is there, and that the last pass is stale.
    * `last`: the last pass over the whole fleet.
    * `code`: the exit code of the command.
    """
    host = make_host(context, SilentProgress(sys.stderr))
    run = Run(ReportCommand.STATUS, host.pass_id, last.now, datetime.now(UTC), host.place, host.canon, host.fleet)
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
    running = look_at_passes(context.state)
    return json_text(
        {
            **status_document(run, population, rows, code, last),
            "notes": [*missing_state_notes(context.state), *stale_notes(last)],
            "running": running_part(running.alive),
            "unseen_pass": running_part(running.hidden),
            "lock_holder": running.holder or None,
            "disk": disk_part(disk_status(context), rows),
        }
    )


def deployment_statuses(
    context: CommandContext, records: Records, kept: Mapping[str, Recipe]
) -> dict[str, CanonicalStatus]:
    """Ask the drivers whether the kept deployments of the recipes in `kept` are up. Return their status, by recipe.

    If a driver cannot answer, the status of its deployments says so.
    """
    host = make_host(context, SilentProgress(sys.stderr))
    parts_by_recipe = deployed_parts(host, kept)
    return {name: deployment_status(host, records.canonicals[name], parts_by_recipe) for name in kept}


def disk_status(context: CommandContext) -> DiskStatus:
    """Return how large the state folder and its generations are, how much is free, and the fleet's limit, in bytes."""
    disk = HostDisk(context.state.root)
    return DiskStatus(
        disk.size(context.state.root), disk.size(context.state.canonicals), disk.free(), context.fleet.disk
    )
