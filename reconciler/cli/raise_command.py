"""`reconcile raise`: runs a copy of a canonical for a while."""

import sys
import time
from contextlib import suppress
from datetime import timedelta

from desired.declarations.durations import read_duration
from desired.declarations.problems import RefusedError
from reconciler.cli.command_context import load_context, prepare_state, require_declared
from reconciler.cli.composition import interruptible, make_host, private_files
from reconciler.cli.missing_state import print_missing_state
from reconciler.cli.options import Options
from reconciler.cli.standard_streams import write_answer
from reconciler.core.needs import apps_of
from reconciler.deploy.app_health import check_up
from reconciler.deploy.app_set import snapshot_app_set
from reconciler.deploy.deploying import deploy_app_set
from reconciler.deploy.slot import Slot
from reconciler.deploy.slot_lifetime import open_slot
from reconciler.deploy.slot_lock import lock_slot
from reconciler.errors import CanonError, InterruptedPassError, UsageError
from reconciler.ports.app import RunningApp
from reconciler.ports.host import Host
from reconciler.show.documents.command_documents import raised_document
from reconciler.show.documents.report_document import json_text
from reconciler.show.text.progress import SilentProgress
from reconciler.show.text.raise_and_logs import render_raised
from reconciler.stages.observe import require_readable_record
from state.records import Canonical


def raise_copy(options: Options, name: str, span: str) -> int:
    """Deploy a copy of the recipe's canonical in a slot, until a signal comes or `span` is over. Return 0.

    `span` is the value of --for, such as "10m". The address of the copy is printed. At the end, the copy is removed.
    Raise UsageError if `span` is no duration or the recipe `name` is not declared. Raise CanonError if there is no
    canonical, or if the copy does not come up or stops by itself.
    """
    lifetime, context = _lifetime(span), load_context(options)
    require_declared(context, name)
    print_missing_state(context.state)
    if context.state.database.is_file():
        prepare_state(context)
    recipes = context.fleet.recipes
    drivers = {recipes[app].driver for app in apps_of(recipes[name], recipes)} | context.state.drivers_of_slot(name)
    host = make_host(context, SilentProgress(sys.stderr)).with_drivers(drivers)
    canonical = _canonical(host, name)
    with interruptible(), private_files(), lock_slot(host, name, f"raise {name}") as folder:
        try:
            # Suppressed inside the slot, so that a failure to remove the slot is reported after a signal too.
            with (
                open_slot(host, folder, "raised", folder / "raise.log") as slot,
                suppress(InterruptedPassError),
            ):
                app_set = snapshot_app_set(host, canonical, context.fleet.recipes, slot.folder / "source", {})
                _print_address(options, name, deploy_app_set(slot, app_set))
                _keep_up(slot, lifetime)
        except InterruptedPassError:
            return 0
    return 0


def _lifetime(span: str) -> timedelta:
    """Return the duration that the text `span` means, such as "10m". Raise UsageError if it is no duration."""
    try:
        return read_duration(span)
    except RefusedError as wrong:
        raise UsageError(f"--for {span}: {wrong}") from wrong


def _canonical(host: Host, name: str) -> Canonical:
    """Return the canonical of the recipe `name`. Raise CanonError if it has none, or if its record cannot be read."""
    records = host.registry.read()
    require_readable_record(name, records)
    if name not in records.canonicals:
        raise CanonError(f"{name} has no canonical yet", "a pass promotes one: reconcile")
    return records.canonicals[name]


def _print_address(options: Options, name: str, app: RunningApp) -> None:
    """Print the address of the app, a copy of the recipe `name`. Raise UnwrittenError if stdout cannot be written.

    Nobody can use the copy without its address, so the caller then removes the copy.
    """
    write_answer(json_text(raised_document(name, app)) if options.json else render_raised(name, app))


def _keep_up(slot: Slot, lifetime: timedelta) -> None:
    """Wait until `lifetime` is over. Raise CanonError if an app in the slot stops by itself before that."""
    until = time.monotonic() + lifetime.total_seconds()
    while time.monotonic() < until:
        check_up(slot)
        time.sleep(min(1.0, max(0.0, until - time.monotonic())))
