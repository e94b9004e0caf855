"""Tells what is going on: a live line on a terminal, plain lines elsewhere, nothing when asked to be quiet."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import TYPE_CHECKING, TextIO

from attrs import define, evolve, field, frozen

from reconciler.ports import Progress
from reconciler.show.escape import escape, shorten
from reconciler.show.words import duration

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text


class Loudness(IntEnum):
    """How much is told."""

    QUIET = 0
    NORMAL = 1
    VERBOSE = 2


@frozen
class Doing:
    """A recipe's present step. `began` is when the recipe's first one did; `last_seconds` is how long all took before."""

    what: str
    began: float
    last_seconds: float | None


@define
class Running:
    """What is under way, by recipe. `monotonic` counts seconds."""

    monotonic: Callable[[], float]
    doing: dict[str, Doing] = field(factory=dict)

    def step(self, recipe: str, what: str, last_seconds: float | None) -> Doing:
        before = self.doing.get(recipe)
        if before is None:
            now = Doing(what, self.monotonic(), last_seconds)
        else:
            now = evolve(
                before, what=what, last_seconds=last_seconds if last_seconds is not None else before.last_seconds
            )
        self.doing[recipe] = now
        return now

    def done(self, recipe: str) -> float | None:
        """How long it took, None where no step was told."""
        doing = self.doing.pop(recipe, None)
        return self.monotonic() - doing.began if doing is not None else None

    def lines(self) -> tuple[str, ...]:
        """One line a recipe: what runs, for how long, and how long it took the last time."""
        now = self.monotonic()
        return tuple(f"{recipe}: {doing.what} ({_so_far(doing, now)})" for recipe, doing in list(self.doing.items()))


def _so_far(doing: Doing, now: float) -> str:
    past = duration(float(int(now - doing.began)))
    return past if doing.last_seconds is None else f"{past}, last time {duration(doing.last_seconds)}"


class Silent:
    """Says nothing."""

    def step(self, recipe: str, doing: str, last_seconds: float | None = None) -> None: ...

    def done(self, recipe: str, said: str) -> None: ...


@define
class Lines:
    """One line a step, for a journal or a file."""

    stream: TextIO
    running: Running
    loudness: Loudness

    def step(self, recipe: str, doing: str, last_seconds: float | None = None) -> None:
        self.running.step(recipe, doing, last_seconds)
        tells = self.loudness is Loudness.VERBOSE and last_seconds is not None
        self._tell(f"{recipe}: {doing}" + (f" (last time {duration(last_seconds or 0)})" if tells else ""))

    def done(self, recipe: str, said: str) -> None:
        self._tell(f"{recipe}: {said}{_took(self.running.done(recipe))}")

    def _tell(self, line: str) -> None:
        print(escape(line), file=self.stream, flush=True)


@define
class LiveLine:
    """The steps under way on a terminal's last lines, above them a line for each recipe that is done."""

    console: "Console"
    running: Running
    loudness: Loudness

    def step(self, recipe: str, doing: str, last_seconds: float | None = None) -> None:
        self.running.step(recipe, doing, last_seconds)
        if self.loudness is Loudness.VERBOSE:
            self._tell(f"{recipe}: {doing}")

    def done(self, recipe: str, said: str) -> None:
        self._tell(f"{recipe}: {said}{_took(self.running.done(recipe))}")

    def _tell(self, line: str) -> None:
        self.console.print(escape(line), markup=False, highlight=False, soft_wrap=True)

    def renderable(self) -> "Text":
        """What stands on the last lines now, no wider than the terminal."""
        from rich.text import Text

        return Text("\n".join(shorten(line, self.console.width - 1) for line in self.running.lines()), style="cyan")


def _took(seconds: float | None) -> str:
    return "" if seconds is None else f" ({duration(seconds)})"


@contextmanager
def progress_on(
    stream: TextIO, loudness: Loudness, monotonic: Callable[[], float], *, colour: bool
) -> Iterator[Progress]:
    """What tells on `stream` while the block runs; afterwards a terminal is as it was."""
    if loudness is Loudness.QUIET:
        yield Silent()
    elif not stream.isatty():
        yield Lines(stream, Running(monotonic), loudness)
    else:
        with _live(stream, loudness, monotonic, colour=colour) as line:
            yield line


@contextmanager
def _live(stream: TextIO, loudness: Loudness, monotonic: Callable[[], float], *, colour: bool) -> Iterator[LiveLine]:
    from rich.console import Console
    from rich.live import Live

    console = Console(file=stream, no_color=not colour)
    line = LiveLine(console, Running(monotonic), loudness)
    with Live(
        console=console,
        get_renderable=line.renderable,
        transient=True,
        refresh_per_second=4,
        redirect_stdout=False,
        redirect_stderr=False,
    ):
        yield line
