"""`reconcile status` and `reconcile logs`: print records and logs without asking upstream."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime

from attrs import evolve

from desired.declarations.recipe_names import is_recipe_name
from desired.model import TierName, WayName
from reconciler.cli.command_context import CommandContext, load_context, require_declared
from reconciler.cli.missing_state import missing_state_text, print_missing_state
from reconciler.cli.options import Options, stdout_screen
from reconciler.cli.read_last_pass import last_whole_pass
from reconciler.cli.standard_streams import print_answer
from reconciler.core.last_pass import LastWholePass, code_with_last_pass
from reconciler.core.needs import keeps_running
from reconciler.core.observation import CanonicalStatus, State
from reconciler.errors import UsageError
from reconciler.promotion.generations import snapshot_statuses
from reconciler.show.escape import escape
from reconciler.show.text.status import Recorded, recorded, render_status, with_ways
from state.folder.holders import is_flocked
from state.folder.logs import logged_trials
from state.records import Records
from state.registry.registry import SqliteRegistry
from state.snapshots.snapshots import SealedSnapshots


def status(options: Options, name: str | None, *, watch: bool = False) -> int:
    """Print the canonical of the recipe `name`; the canonicals of all recipes if `name` is None. Return the exit code.

    * 0: all canonicals are intact and up, and the last pass over the whole fleet is not too old.
    * 3: a canonical is damaged or down.
    * 1: the state of a canonical is not known, or the last pass over the whole fleet is too old. This code precedes 3.

    With `watch`, print the canonicals and the running pass again and again until a signal comes. Return then 128 plus
    the number of the signal. Raise UsageError if `name` is neither declared nor recorded.
    """
    context = load_context(options)
    rows = _recorded(context, name)
    if watch:
        from reconciler.cli import watch_command

        return watch_command.watch(options, context.state, lambda: _table(context, name))
    last = last_whole_pass(context)
    code = code_with_last_pass(_exit_code({row.status.state for row in rows}), last)
    if options.json:
        from reconciler.cli.status_with_host import status_json

        return print_answer(status_json(context, rows, last, code), code)
    return print_answer(_text(context, rows, name, last) + _running_line(context), code)


def _recorded(context: CommandContext, name: str | None) -> tuple[Recorded, ...]:
    """Return what is recorded of the recipe `name`.

    If `name` is None, return what is recorded of the recipes named by -r or, without -r, of all recipes. Raise
    UsageError if `name` is neither declared nor recorded.
    """
    records = SqliteRegistry(context.state.database).read()
    if name is not None and name not in records.canonicals and name not in records.unreadable:
        require_declared(context, name)
    today = datetime.now(UTC).date()
    only = (name,) if name else context.options.recipes
    rows = recorded(context.fleet, records, _statuses(context, records), today, only)
    rows = _with_sizes(context, rows) if _shows_sizes(context) else rows
    if name is None and not context.options.json:
        return rows
    from reconciler.core.way_records import WAY_LINE

    lines = SqliteRegistry(context.state.database).lines(kind=WAY_LINE)
    return tuple(with_ways(row, lines) for row in rows)


def _shows_sizes(context: CommandContext) -> bool:
    return context.options.json or context.options.output == "wide"


def _with_sizes(context: CommandContext, rows: Sequence[Recorded]) -> tuple[Recorded, ...]:
    """Return the rows, each with how many bytes all stored generations of its recipe take on the disk."""
    from reconciler.host.disk import size_of

    return tuple(evolve(row, stored=size_of(context.state.generations(row.recipe))) for row in rows)


def _table(context: CommandContext, name: str | None) -> str:
    """Read what is recorded now of the recipe `name`. Return it as the text of `reconcile status`.

    If `name` is None, read what is recorded of all recipes that the options select.
    """
    return _text(context, _recorded(context, name), name, last_whole_pass(context))


def _text(context: CommandContext, rows: Sequence[Recorded], name: str | None, last: LastWholePass) -> str:
    """Return the text of `reconcile status` without JSON: a table with a line for each of `rows`.

    If `name` is not None, `rows` has only the row of this recipe. The text is then a card with several lines on the
    recipe. `last` is the last pass over the whole fleet: the text has its age.
    """
    screen, now, note = stdout_screen(context.options), datetime.now(UTC), missing_state_text(context.state)
    if name is not None:
        from reconciler.show.text.status_card import render_card

        return note + render_card(rows[0], screen, now, last)
    text = render_status(rows, screen, now, wide=context.options.output == "wide", last=last)
    return note + text + _disk_line(context)


def _disk_line(context: CommandContext) -> str:
    """Return a line on how much of the disk is used and free, for `-o wide`; "" for other formats."""
    if context.options.output != "wide":
        return ""
    from reconciler.cli.status_with_host import disk_status
    from reconciler.show.text.disk import disk_line

    return f"{disk_line(disk_status(context))}\n"


def _running_line(context: CommandContext) -> str:
    """Return a line on the pass that runs. If none is seen, the line says who holds the pass lock; "" for nobody."""
    if not os.path.lexists(context.state.running_pass) and not is_flocked(context.state.lock):
        return ""
    from reconciler.cli.running import look_at_passes
    from reconciler.show.text.running import status_line

    line = escape(status_line(look_at_passes(context.state), datetime.now(UTC)))
    return f"{line}\n" if line else ""


def _exit_code(states: set[State]) -> int:
    """Return 1 if the state of a canonical is unknown, else 3 if one is damaged or down, else 0."""
    if State.UNKNOWN in states:
        return 1
    return 3 if states & {State.DAMAGED, State.DOWN} else 0


def _statuses(context: CommandContext, records: Records) -> dict[str, CanonicalStatus]:
    """Return the status of each recorded canonical, by recipe.

    The status covers the snapshot and, if the recipe declares `keep = "running"`, the kept deployment. If the record of
    a recipe cannot be read, the status has the state UNKNOWN.
    """
    statuses = snapshot_statuses(SealedSnapshots(), context.state, records)
    if records.unreadable:
        from reconciler.stages.observe import unreadable_record_message

        unreadable = {name: unreadable_record_message(name, records) for name in records.unreadable}
        statuses |= {name: CanonicalStatus(State.UNKNOWN, message) for name, message in unreadable.items()}
    declared = context.fleet.recipes
    intact = [name for name, status in statuses.items() if status.state is State.INTACT and name in declared]
    kept = {name: declared[name] for name in intact if keeps_running(declared[name])}
    if not kept:
        return statuses
    from reconciler.cli.status_with_host import deployment_statuses

    return statuses | deployment_statuses(context, records, kept)


def logs(options: Options, name: str, trial: str | None) -> int:
    """Print the log of a trial of the recipe `name`, tier by tier. Return 0, or 1 if stdout cannot be written.

    `trial` is the id of the trial; None for the latest trial. Raise UsageError if the recipe has no log of the trial.
    """
    context = load_context(options)
    print_missing_state(context.state)
    trials = logged_trials(context.state.trial_logs(name)) if is_recipe_name(name) else ()
    if not trials:
        require_declared(context, name)
        raise UsageError(f"no trial of {name} is logged", "a pass or `reconcile trial` makes one")
    chosen = trial or trials[-1]
    if chosen not in trials:
        raise UsageError(f"no trial {chosen} of {name}", f"there are: {', '.join(trials)}")
    order = [*TierName, "promote", *(f"way-{way}" for way in WayName)]
    files = {tier: context.state.trial_log(name, chosen) / f"{tier}.log" for tier in order}
    logs_by_tier = {str(tier): path.read_text("utf-8", "replace") for tier, path in files.items() if path.exists()}
    if options.json:
        from reconciler.show.documents.command_documents import logs_document
        from reconciler.show.documents.report_document import json_text

        return print_answer(json_text(logs_document(name, chosen, logs_by_tier)), 0)
    from reconciler.show.text.raise_and_logs import render_logs

    screen = stdout_screen(options)
    return print_answer(render_logs(chosen, logs_by_tier, screen), 0)
