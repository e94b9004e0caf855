"""`reconcile status --watch`: shows what a pass does, until a signal comes. Writes nothing and takes no lock."""

import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, NoReturn

from attrs import define, field

from reconciler.cli.composition import interruptible
from reconciler.cli.options import Options, stdout_screen, stdout_width
from reconciler.cli.running import look_at_passes
from reconciler.cli.standard_streams import write_answer
from reconciler.core.events import Event, events_of, pass_of
from reconciler.core.exit_codes import SIGNALLED
from reconciler.errors import InterruptedPassError, UsageError
from reconciler.show.text.running import RunningNow, running_lines
from reconciler.show.text.running_changes import change_lines, gone_pass, with_unseen
from state.folder.changed_file import ChangedFile
from state.folder.folder import StateFolder
from state.ledger_line import LedgerLine
from state.pass_progress import PassProgress
from state.registry.latest_entry import latest_entry

PAUSE: Final = 0.5
"""Seconds between two looks at the running pass."""

TABLE_AGE: Final = timedelta(seconds=30)
"""How long the same table is shown if the registry does not change. Deployments and ages may change without it."""


def watch(options: Options, state: StateFolder, table: Callable[[], str]) -> int:
    """Show the running pass and the text that `table` returns, again and again, until a signal comes.

    Without a terminal, print only the changes, as lines. Return 128 plus the number of the signal. Raise UsageError if
    JSON is asked for.
    """
    if options.json:
        hint = "as lines of JSON: reconcile events --watch -o json, or of a pass of your own: reconcile --events"
        raise UsageError("--watch prints no JSON", hint)
    try:
        with interruptible():
            if stdout_width() is None or os.environ.get("TERM") == "dumb":
                _print_changes(state)
            _redraw(options, state, CachedTable(table, ChangedFile(state.database)))
    except InterruptedPassError as stop:
        return SIGNALLED + stop.signal_number


def _print_changes(state: StateFolder) -> NoReturn:
    before: RunningNow | None = None
    while True:
        after = look_at_passes(state)
        gone = gone_pass(before, after)
        end = _end_of(state, gone) if gone is not None else None
        after = with_unseen(before, after, end)
        for line in change_lines(before, after, end, datetime.now(UTC)):
            write_answer(f"{line}\n")
        before = after
        time.sleep(PAUSE)


def _end_of(state: StateFolder, progress: PassProgress) -> Event | None:
    """Return the event with which the pass `progress` ended, by the ledger; None if the ledger has none."""
    entry = latest_entry(state.database, "pass-end", lambda entry: pass_of(entry) == progress.pass_id)
    return events_of([LedgerLine(0, entry)])[0] if entry is not None else None


@define
class CachedTable:
    """Keeps the text of the table of canonicals, which `make` returns.

    The text is made anew if the file `registry` may have changed, or if the text is older than TABLE_AGE.
    """

    make: Callable[[], str]
    registry: ChangedFile
    _text: str = field(default="", init=False)
    _made: datetime | None = field(default=None, init=False)

    def text(self, now: datetime) -> str:
        if self.registry.may_have_changed() or self._made is None or now - self._made > TABLE_AGE:
            self._text, self._made = self.make(), now
        return self._text


def _redraw(options: Options, state: StateFolder, table: CachedTable) -> NoReturn:
    """Draw the running pass and the table again and again, until a signal raises InterruptedPassError.

    Both are drawn on the terminal's second screen, so that at the end the terminal shows what it showed before.
    """
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(file=sys.stdout, no_color=not stdout_screen(options).colour, highlight=False)
    with Live(console=console, screen=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False) as live:
        while True:
            now = datetime.now(UTC)
            lines = running_lines(look_at_passes(state), now, stdout_screen(options))
            lines = fitting([*lines, "", *table.text(now).splitlines()], console.height)
            live.update(Text.from_ansi("\n".join(lines), no_wrap=True, overflow="ellipsis"), refresh=True)
            time.sleep(PAUSE)


def fitting(lines: list[str], height: int) -> list[str]:
    """Return as many of `lines` as fit on a screen of `height` lines.

    If not all fit, the last returned line says how many are left out.
    """
    if len(lines) <= height:
        return lines
    shown = max(height - 1, 0)
    return [*lines[:shown], f"… {len(lines) - shown} more lines: reconcile status"]
