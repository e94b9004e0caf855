"""Reads from the ledger when the last pass over the whole fleet ended."""

from datetime import UTC, datetime

from reconciler.cli.command_context import CommandContext
from reconciler.core.last_pass import LastWholePass, is_whole_pass
from state.registry.latest_entry import latest_entry


def last_whole_pass(context: CommandContext) -> LastWholePass:
    """Return when the last pass over the whole fleet ended, by the ledger, and from which age on it counts as stale."""
    found = latest_entry(context.state.database, "pass-end", is_whole_pass)
    return LastWholePass(found.at if found is not None else None, context.fleet.stale, datetime.now(UTC))
