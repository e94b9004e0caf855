"""Shows the progress of a command on stderr: a live line on a terminal, plain lines elsewhere, nothing if quiet."""

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO, cast

from attrs import define, field, frozen

from reconciler.show.escape import escape, shorten
from reconciler.show.quantities import duration

if TYPE_CHECKING:
    from rich.live import Live
    from rich.text import Text

REFRESHES = 4
"""How many times per second the live line is drawn."""

MINUTE = 60


@frozen
class StepProgress:
    """The current step of a recipe, described by `what`.

    `began` is when the first step of the recipe began, in seconds of a monotonic clock. `last` is how many seconds the
    recipe's last trial took, None if that is unknown.
    """

    recipe: str
    what: str
    began: float
    last: float | None = None

    def describe(self, now: float) -> str:
        """Return the step as text, with the time since the recipe's first step and the duration of its last trial.

        `now` is the current time, in seconds of the same clock as `began`.
        """
        whole = int(now - self.began)
        past = f"{whole} s" if whole < MINUTE else duration(whole)
        known = "" if self.last is None else f", last time {duration(self.last)}"
        return f"{self.recipe}: {self.what} ({past}{known})"


def next_step(doing: StepProgress | None, recipe: str, what: str, now: float, last: float | None) -> StepProgress:
    """Return the step that follows the step `doing`, which is None if nothing was done before.

    If `recipe` is the recipe of `doing`, the new step has the same start time. The other values are as in StepProgress.
    """
    if doing is None or doing.recipe != recipe:
        return StepProgress(recipe, what, now, last)
    return StepProgress(recipe, what, doing.began, doing.last if last is None else last)


@define
class LossyStream:
    """Wraps a stream. If a write fails, no error is raised, and all later text is dropped."""

    stream: TextIO
    broken: bool = False

    def write(self, text: str) -> int:
        self._try(lambda: self.stream.write(text))
        return len(text)

    def flush(self) -> None:
        self._try(self.stream.flush)

    def _try(self, operation: Callable[[], object]) -> None:
        """Call `operation`, unless an earlier one failed. Raises no error if it fails."""
        try:
            if not self.broken:
                operation()
        except (OSError, ValueError):
            self.broken = True

    def __getattr__(self, name: str) -> object:
        return getattr(self.stream, name)


@define
class LineProgress:
    """Writes a line for each step to a journal or a file; with `verbose`, the line has times.

    `monotonic` is a clock that returns seconds.
    """

    stream: TextIO
    verbose: bool = False
    monotonic: Callable[[], float] = time.monotonic
    doing: StepProgress | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Do nothing. LiveLine has something to clean up here."""

    def step(self, recipe: str, doing: str, last_seconds: float | None = None) -> None:
        self.doing = next_step(self.doing, recipe, doing, self.monotonic(), last_seconds)
        self.write_line(self.doing.describe(self.monotonic()) if self.verbose else f"{recipe}: {doing}")

    def done(self, recipe: str, result: str) -> None:
        own = self.doing is not None and self.doing.recipe == recipe
        took = f" ({duration(self.monotonic() - self.doing.began)})" if self.doing is not None and own else ""
        self.doing = None if own else self.doing
        self.write_line(f"{recipe}: {result}{took}")

    def write_line(self, line: str) -> None:
        self.stream.write(f"{escape(line)}\n")
        self.stream.flush()


@define
class LiveLine(LineProgress):
    """Shows the current step on the last line of a terminal, and finished recipes above it. To be used in `with`."""

    colour: bool = True
    live: "Live | None" = field(default=None, init=False)

    def __enter__(self) -> Self:
        from rich.console import Console
        from rich.live import Live

        self.live = Live(
            console=Console(file=self.stream, no_color=not self.colour, highlight=False, markup=False, emoji=False),
            get_renderable=self.line,
            refresh_per_second=REFRESHES,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self.live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Remove the live line and show the cursor again."""
        live, self.live = self.live, None
        if live is not None:
            live.stop()

    def step(self, recipe: str, doing: str, last_seconds: float | None = None) -> None:
        if self.live is None or self.verbose:
            super().step(recipe, doing, last_seconds)
        else:
            self.doing = next_step(self.doing, recipe, doing, self.monotonic(), last_seconds)

    def write_line(self, line: str) -> None:
        if self.live is None:
            super().write_line(line)
        else:
            self.live.console.print(escape(line), soft_wrap=True)

    def line(self) -> "Text":
        """Return the text of the live line, cut to the width of the terminal."""
        from rich.text import Text

        columns = self.live.console.width if self.live is not None else 0
        text = self.doing.describe(self.monotonic()) if self.doing is not None else ""
        return Text(shorten(text, columns - 1), style="cyan")


@define
class SilentProgress(LineProgress):
    """Shows no progress."""

    def write_line(self, line: str) -> None: ...


def open_progress(*, quiet: bool, verbose: bool, colour: bool = True, stream: TextIO | None = None) -> LineProgress:
    """Return the progress display for `stream`, None for stderr. To be used in `with`, which restores the terminal."""
    stream = cast("TextIO", LossyStream(stream or sys.stderr))
    if quiet:
        return SilentProgress(stream)
    return LiveLine(stream, verbose, colour=colour) if stream.isatty() else LineProgress(stream, verbose)
