"""Shows progress on stderr: lines that are redrawn on a terminal, plain lines elsewhere, nothing if quiet."""

import sys
import time
from collections.abc import Callable, Mapping
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
    """What is being done for a recipe now.

    * `what`: what is being done, in a few words.
    * `began`: when work on the recipe began, in seconds of a monotonic clock.
    * `last`: how many seconds the recipe's last trial took; None if unknown.
    """

    recipe: str
    what: str
    began: float
    last: float | None = None

    def describe(self, now: float) -> str:
        """Return the step as text, with the time since `began`: "notes: 1.2.0: install (9 s, last time 3 min 20 s)".

        `now` is the present time, in seconds of the same clock as `began`.
        """
        whole = int(now - self.began)
        past = f"{whole} s" if whole < MINUTE else duration(whole)
        known = "" if self.last is None else f", last time {duration(self.last)}"
        return f"{self.recipe}: {self.what} ({past}{known})"


def next_step(doing: StepProgress | None, recipe: str, what: str, now: float, last: float | None) -> StepProgress:
    """Return what is being done for `recipe` from now on, as a new step.

    * `doing`: the step before; None if there was none. If it is a step of `recipe`, the new step keeps its `began`, and
      keeps its `last` if the argument `last` is None.
    * `what`: what is being done from now on, in a few words.
    * `now`: the present time, in seconds of a monotonic clock.
    * `last`: how many seconds the recipe's last trial took; None if not known.
    """
    if doing is None or doing.recipe != recipe:
        return StepProgress(recipe, what, now, last)
    return StepProgress(recipe, what, doing.began, doing.last if last is None else last)


@define
class LossyStream:
    """A stream that never raises an error. Once a write has failed, `broken` is True and all later text is dropped."""

    stream: TextIO
    broken: bool = False

    def write(self, text: str) -> int:
        self._try(lambda: self.stream.write(text))
        return len(text)

    def flush(self) -> None:
        self._try(self.stream.flush)

    def _try(self, operation: Callable[[], object]) -> None:
        """Call `operation`, unless an earlier call failed. If the call raises an error, only set `broken` to True."""
        try:
            if not self.broken:
                operation()
        except (OSError, ValueError):
            self.broken = True

    def __getattr__(self, name: str) -> object:
        return getattr(self.stream, name)


@define
class LineProgress:
    """Shows progress as plain lines: writes a line for each step to a stream, such as a journal or a file.

    * `verbose`: True to add times.
    * `monotonic`: a clock: a function that returns seconds.
    * `running`: the recipes that are tried at the same time; empty if recipes are tried one after the other.
    * `doing`: the present step of each recipe that is worked on, by recipe; at most one step if `running` is empty.
    """

    stream: TextIO
    verbose: bool = False
    monotonic: Callable[[], float] = time.monotonic
    running: frozenset[str] = frozenset()
    doing: Mapping[str, StepProgress] = field(factory=dict)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Do nothing. The subclass LiveLine cleans up here."""

    def step(self, recipe: str, doing: str, last_seconds: float | None = None) -> None:
        step = self._next(recipe, doing, last_seconds)
        self.write_line(step.describe(self.monotonic()) if self.verbose else f"{recipe}: {doing}")

    def done(self, recipe: str, result: str) -> None:
        own = self.doing.get(recipe)
        took = f" ({duration(self.monotonic() - own.began)})" if own is not None else ""
        self.doing = {name: step for name, step in self.doing.items() if name != recipe}
        self.write_line(f"{recipe}: {result}{took}")

    def show_running(self, recipes: frozenset[str]) -> None:
        """Set which recipes are tried at the same time from now on. If `recipes` is empty, one at a time is tried."""
        self.running = recipes
        self.doing = {name: step for name, step in self.doing.items() if name in recipes}

    def _next(self, recipe: str, what: str, last: float | None) -> StepProgress:
        """Make a new step for a recipe, record it in the field `doing`, and return it.

        `what` says in a few words what is done from now on. `last` is how many seconds the recipe's last trial took;
        None if unknown. Also remove from `doing` the steps of all other recipes that are not in `running`.
        """
        step = next_step(self.doing.get(recipe), recipe, what, self.monotonic(), last)
        self.doing = {name: each for name, each in self.doing.items() if name in self.running} | {recipe: step}
        return step

    def write_line(self, line: str) -> None:
        self.stream.write(f"{escape(line)}\n")
        self.stream.flush()


@define
class LiveLine(LineProgress):
    """Shows progress on the last lines of a terminal: one line, redrawn, for the present step of each recipe.

    Use it in a `with` statement. Results are written above these lines.

    * `colour`: False for no colours.
    * `live`: what redraws the lines; None outside of the `with` block.
    """

    colour: bool = True
    live: "Live | None" = field(default=None, init=False)

    def __enter__(self) -> Self:
        from rich.console import Console
        from rich.live import Live

        self.live = Live(
            console=Console(file=self.stream, no_color=not self.colour, highlight=False, markup=False, emoji=False),
            get_renderable=self.lines,
            refresh_per_second=REFRESHES,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self.live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Remove the lines of present steps, and show the cursor again."""
        live, self.live = self.live, None
        if live is not None:
            live.stop()

    def step(self, recipe: str, doing: str, last_seconds: float | None = None) -> None:
        if self.live is None or self.verbose:
            super().step(recipe, doing, last_seconds)
        else:
            self._next(recipe, doing, last_seconds)

    def write_line(self, line: str) -> None:
        if self.live is None:
            super().write_line(line)
        else:
            self.live.console.print(escape(line), soft_wrap=True)

    def lines(self) -> "Text":
        """Return one line for each present step, sorted by recipe. Each line is cut to the width of the terminal."""
        from rich.text import Text

        columns, now = self.live.console.width if self.live is not None else 0, self.monotonic()
        steps = sorted(self.doing.values(), key=lambda step: step.recipe)
        return Text("\n".join(shorten(step.describe(now), columns - 1) for step in steps), style="cyan")


@define
class SilentProgress(LineProgress):
    """Shows no progress."""

    def write_line(self, line: str) -> None: ...


def open_progress(*, quiet: bool, verbose: bool, colour: bool = True, stream: TextIO | None = None) -> LineProgress:
    """Return an object that shows progress on `stream`, or on stderr if that is None. Use it in a `with` statement.

    The object redraws lines on a terminal, and writes plain lines to any other stream. If `quiet`, it shows nothing.
    `verbose` adds times. `colour` is False to redraw lines without colours.
    """
    stream = cast("TextIO", LossyStream(stream or sys.stderr))
    if quiet:
        return SilentProgress(stream)
    return LiveLine(stream, verbose, colour=colour) if stream.isatty() else LineProgress(stream, verbose)
