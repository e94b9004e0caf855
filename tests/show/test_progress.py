import io
import os
import pkgutil
import pty
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from reconciler import show
from reconciler.show.text.progress import (
    LineProgress,
    LiveLine,
    SilentProgress,
    StepProgress,
    next_step,
    open_progress,
)

ROOT = Path(__file__).parent.parent.parent


class Watch:
    """A clock that moves only when a test moves it."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def progress_lines(*, verbose: bool) -> list[str]:
    """Lines for a recipe that is tried and promoted, beside one whose mirror alone is fetched."""
    stream, watch = io.StringIO(), Watch()
    lines = LineProgress(stream, verbose, watch)
    lines.step("wiki", "fetching into the mirror")
    lines.step("cal", "trying 1.2.0", 41.0)
    watch.seconds += 75
    lines.step("cal", "1.2.0: upgrade")
    watch.seconds += 15
    lines.done("cal", "promoted")
    return stream.getvalue().splitlines()


def test_without_a_terminal_each_step_is_one_line() -> None:
    assert progress_lines(verbose=False) == [
        "wiki: fetching into the mirror",
        "cal: trying 1.2.0",
        "cal: 1.2.0: upgrade",
        "cal: promoted (1 min 30 s)",
    ]


def test_verbose_progress_shows_how_long_the_last_trial_took() -> None:
    assert progress_lines(verbose=True) == [
        "wiki: fetching into the mirror (0 s)",
        "cal: trying 1.2.0 (0 s, last time 41 s)",
        "cal: 1.2.0: upgrade (1 min 15 s, last time 41 s)",
        "cal: promoted (1 min 30 s)",
    ]


def test_quiet_progress_writes_nothing() -> None:
    stream = io.StringIO()
    with open_progress(quiet=True, verbose=False, stream=stream) as quiet:
        quiet.step("cal", "trying 1.2.0")
        quiet.done("cal", "promoted")
    assert isinstance(quiet, SilentProgress)
    assert stream.getvalue() == ""


def test_no_terminal_means_no_live_line() -> None:
    assert type(open_progress(quiet=False, verbose=False, stream=io.StringIO())) is LineProgress


def test_the_clock_starts_again_for_each_recipe() -> None:
    first = next_step(None, "cal", "trying", 10.0, 41.0)
    second = next_step(first, "cal", "upgrade", 20.0, None)
    assert second == StepProgress("cal", "upgrade", 10.0, 41.0)
    assert next_step(second, "wiki", "trying", 30.0, None) == StepProgress("wiki", "trying", 30.0, None)


def test_recipes_that_are_tried_at_once_have_a_clock_each() -> None:
    stream, watch = io.StringIO(), Watch()
    lines = LineProgress(stream, verbose=True, monotonic=watch)
    lines.show_running(frozenset({"cal", "wiki"}))
    lines.step("cal", "trying 1.2.0")
    watch.seconds += 10
    lines.step("wiki", "trying 2.0.0")
    watch.seconds += 5
    lines.done("cal", "promoted")
    lines.step("wiki", "2.0.0: install")
    assert stream.getvalue().splitlines() == [
        "cal: trying 1.2.0 (0 s)",
        "wiki: trying 2.0.0 (0 s)",
        "cal: promoted (15 s)",
        "wiki: 2.0.0: install (5 s)",
    ]


@given(st.text(), st.text())
def test_a_step_is_one_printable_line(recipe: str, doing: str) -> None:
    stream = io.StringIO()
    LineProgress(stream).step(recipe, doing)
    assert stream.getvalue().removesuffix("\n").isprintable()


# ---- on a real terminal ----


@contextmanager
def terminal() -> Iterator[tuple[io.TextIOWrapper, list[bytes]]]:
    """The program's end of a terminal, and what arrives at the other once it is closed."""
    ours, theirs = pty.openpty()
    arrived: list[bytes] = []

    def read() -> None:
        while data := _read(ours):
            arrived.append(data)

    reader = threading.Thread(target=read)
    reader.start()
    with os.fdopen(theirs, "w", encoding="utf-8") as stream:
        yield stream, arrived
    reader.join()
    os.close(ours)


def _read(descriptor: int) -> bytes:
    """A terminal whose other end is closed answers with an error."""
    try:
        return os.read(descriptor, 65536)
    except OSError:
        return b""


def on_a_terminal(*, colour: bool) -> str:
    with terminal() as (stream, arrived):
        watching = open_progress(quiet=False, verbose=False, colour=colour, stream=stream)
        assert isinstance(watching, LiveLine)
        with watching:
            watching.step("cal", "1.2.0: upgr\x1b[2Jade [red]", 41.0)
            assert watching.live is not None
            watching.live.refresh()
            watching.done("cal", "promoted [bold]")
            watching.step("wiki", "trying 1.0.0")
    return b"".join(arrived).decode()


def test_a_terminal_shows_what_runs_and_how_long_it_took_the_last_time() -> None:
    text = on_a_terminal(colour=False)
    assert r"cal: 1.2.0: upgr\x1b[2Jade [red] (0 s, last time 41 s)" in text
    assert re.search(r"cal: promoted \[bold\] \([0-9.]+ s\)\r\n", text)


def test_a_terminal_shows_a_line_for_each_recipe_that_runs() -> None:
    with terminal() as (stream, arrived), open_progress(quiet=False, verbose=False, stream=stream) as watching:
        assert isinstance(watching, LiveLine)
        watching.step("notes", "fetching into the mirror")
        watching.show_running(frozenset({"cal", "wiki"}))
        watching.step("wiki", "trying 1.0.0")
        watching.step("cal", "1.2.0: upgrade")
        assert watching.lines().plain.splitlines() == ["cal: 1.2.0: upgrade (0 s)", "wiki: trying 1.0.0 (0 s)"]
        watching.done("cal", "promoted")
        watching.show_running(frozenset({"wiki"}))
        assert watching.lines().plain == "wiki: trying 1.0.0 (0 s)"
        watching.show_running(frozenset())
        watching.step("alone", "trying 3.0.0")
        assert watching.lines().plain == "alone: trying 3.0.0 (0 s)"
    assert b"notes" not in b"".join(arrived).rpartition(b"promoted")[2]


def test_the_terminal_is_restored() -> None:
    text = on_a_terminal(colour=True)
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 1
    assert text.rindex("\x1b[?25h") > text.rindex("promoted")
    assert "\x1b[2J" not in text


def test_no_colour_codes_are_printed_without_colour() -> None:
    assert re.search(r"\x1b\[[0-9;]*m", on_a_terminal(colour=False)) is None
    assert "\x1b[36m" in on_a_terminal(colour=True)


def test_outside_of_with_a_terminal_gets_plain_lines() -> None:
    with terminal() as (stream, arrived):
        open_progress(quiet=False, verbose=False, stream=stream).step("cal", "trying 1.2.0")
    assert b"".join(arrived) == b"cal: trying 1.2.0\r\n"


def test_rich_is_loaded_only_for_a_live_line() -> None:
    modules = [module.name for module in pkgutil.walk_packages(show.__path__, "reconciler.show.")]
    assert "reconciler.show.text.report_table" in modules
    imports = "; ".join(f"import {name}" for name in modules)
    check = f"{imports}; import sys; sys.exit('rich' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], cwd=ROOT, check=False).returncode == 0
