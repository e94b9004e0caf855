"""`reconcile history` and `reconcile events`: print what happened, and who did it, by the ledger. Change nothing."""

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Final

from attrs import frozen

from desired.declarations.durations import read_duration
from desired.declarations.problems import RefusedError
from reconciler.cli.command_context import CommandContext, load_context
from reconciler.cli.composition import interruptible
from reconciler.cli.missing_state import print_missing_state
from reconciler.cli.options import Options, stdout_screen
from reconciler.cli.standard_streams import FAILED, print_answer, print_error, write_answer
from reconciler.core.events import Event, events_of, history_of, pass_triggers
from reconciler.errors import InterruptedPassError, UsageError
from reconciler.show.documents.event_document import event_line
from reconciler.show.text.events import event_rows, event_text
from state.folder.changed_file import ChangedFile
from state.ledger_line import LedgerLine
from state.registry.registry import SqliteRegistry
from state.state_errors import StateError

PAUSE: Final = 1.0
"""Seconds between two looks of `events --watch` at the ledger."""


@frozen
class Selection:
    """Which events to show.

    * `recipes`: show only events about these recipes; () for all events.
    * `since`: show only events from this time on; None for events of any age.
    """

    recipes: tuple[str, ...] = ()
    since: datetime | None = None

    def of(self, events: Sequence[Event]) -> tuple[Event, ...]:
        """Return those of `events` that this selection shows, in the same order."""
        return tuple(
            event
            for event in events
            if (not self.recipes or event.recipe in self.recipes) and (self.since is None or event.at >= self.since)
        )


def history(options: Options, name: str | None, since: str | None) -> int:
    """Print what happened to the recipe `name`. Return 0, or 1 if the ledger's chain of hashes is broken.

    * `name`: None for the recipes named by -r; without -r, for all recipes and for what happened in whole passes.
    * `since`: print nothing older: a span such as "2d", or a day or time; None for any age.

    Raise UsageError if nothing is known of a recipe that is named, or if `since` is no time.
    """
    context = load_context(options)
    print_missing_state(context.state)
    registry = SqliteRegistry(context.state.database)
    selection = _selection(options, name, since)
    events = events_of(registry.lines())
    _require_known(context, selection, events)
    code = _check(registry)
    chosen = selection.of(history_of(events))
    if options.json:
        return print_answer("".join(map(event_line, chosen)), code)
    rows = event_rows(chosen, stdout_screen(options), datetime.now(UTC), whole=name is None)
    return print_answer("\n".join(rows if chosen else ["nothing is recorded"]) + "\n", code)


def events(options: Options, name: str | None, since: str | None, *, watch: bool) -> int:
    """Print each line of the ledger about the recipe `name`, the oldest first; every line if `name` is None.

    * `since`: print nothing older: a span such as "2d", or a day or time; None for any age.
    * `watch`: go on with new lines until a signal comes. The signal does not change the exit code.

    Return 0, or 1 if the ledger's chain of hashes is broken. Raise UsageError if nothing is known of `name`, or if
    `since` is no time.
    """
    context = load_context(options)
    print_missing_state(context.state)
    registry = SqliteRegistry(context.state.database)
    selection = _selection(options, name, since)
    lines = registry.lines()
    began = events_of(lines)
    _require_known(context, selection, began)
    code = _check(registry)
    screen = stdout_screen(options)
    try:
        with interruptible():
            for found in chain([began], _following(registry, lines) if watch else ()):
                chosen = selection.of(found)
                _write("".join(event_line(each) if options.json else event_text(each, screen) for each in chosen))
    except InterruptedPassError:
        return code
    return code


def _following(registry: SqliteRegistry, lines: Sequence[LedgerLine]) -> Iterator[tuple[Event, ...]]:
    """Yield the events of new lines of the ledger as they come, for ever. New lines are those after `lines`.

    The ledger is read only when its file may have changed. Lines that were read before are not read again.
    """
    triggers, last = pass_triggers(lines), lines[-1].seq if lines else 0
    file = ChangedFile(registry.path)
    while True:
        time.sleep(PAUSE)
        if file.may_have_changed() and (new := registry.lines(after=last)):
            yield events_of(new, triggers)
            triggers, last = {**triggers, **pass_triggers(new)}, new[-1].seq


def _write(text: str) -> None:
    if text:
        write_answer(text)


def _check(registry: SqliteRegistry) -> int:
    """Return 0 if the ledger's chain of hashes is intact.

    If the chain is broken, print to stderr that the command's output may be wrong, and return 1.
    """
    try:
        registry.verify()
    except StateError as broken:
        print_error(
            f"reconcile: {broken.message}\n  what is printed may not be what happened; compare it with a backup\n"
        )
        return FAILED
    return 0


def _selection(options: Options, name: str | None, since: str | None) -> Selection:
    recipes = (name,) if name is not None else options.recipes
    return Selection(recipes, _since(since, datetime.now(UTC)) if since is not None else None)


def _require_known(context: CommandContext, selection: Selection, events: Sequence[Event]) -> None:
    """Raise UsageError if a recipe that `selection` names is not declared, and none of `events` is about it."""
    known = {event.recipe for event in events} | {*context.fleet.recipes}
    for name in selection.recipes:
        if name not in known:
            raise UsageError(f"nothing is recorded of {name}", f"declared are: {', '.join(context.fleet.recipes)}")


def _since(text: str, now: datetime) -> datetime:
    """Return the time that `text` means: a span before `now`, such as "2d", or a day or a time.

    A day or time is in UTC unless it names a zone. Raise UsageError for any other text.
    """
    try:
        return now - read_duration(text)
    except RefusedError:
        pass
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        hint = "a span such as 12h or 7d, or a day such as 2026-11-01"
        raise UsageError(f"--since {text} is no time", hint) from None
    return when if when.tzinfo is not None else when.replace(tzinfo=UTC)
