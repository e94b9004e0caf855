"""What the page shows of passes: how long they took, how much of that trials took, and how they ended."""

from collections.abc import Sequence
from typing import Final

from attrs import frozen

from reconciler.core.activity import PastPass
from reconciler.show.page.tones import BAD, DOING, FAINT, GOOD, WARN
from reconciler.show.quantities import duration, moment

MOST_PASSES: Final = 60
_HEIGHT: Final = 90
_TONES: Final = {0: GOOD, 2: DOING, 3: BAD, 4: WARN, 1: BAD, 5: BAD}


@frozen
class PassOnPage:
    """One pass on the page.

    * `done`: the pass, as the ledger has it.
    * `tone`: the word by which the style sheet chooses the colour of the pass.
    * `ended`: how the pass ended, as text.
    * `other`: how many seconds of the pass were not spent in trials, at least 0; None if the pass recorded no end.
    """

    done: PastPass
    tone: str
    ended: str
    other: float | None


@frozen
class PassColumn:
    """The column of one pass in the picture of passes.

    * `x`, `width`: where the column begins and how wide it is, in percent of the picture's width.
    * `y`, `height`: where its upper end is and how high the column is, in pixels.
    * `tone`: the word by which the style sheet chooses the colour of the column.
    * `title`: in words what the column shows.
    """

    x: str
    width: str
    y: str
    height: str
    tone: str
    title: str


@frozen
class PassPicture:
    """A picture of how long the latest passes took: a column for each pass.

    * `height`: the height of the picture in pixels.
    * `columns`: the columns, with the oldest pass at the left.
    * `longest`: how long the longest of these passes took, as text.
    * `text`: in one sentence what the picture shows.
    """

    height: int
    columns: tuple[PassColumn, ...]
    longest: str
    text: str


def passes_on_page(passes: Sequence[PastPass]) -> tuple[PassOnPage, ...]:
    """Return what the page shows of the last 60 passes, the latest first. `passes` has the oldest first."""
    return tuple(_pass(each) for each in reversed(passes[-MOST_PASSES:]))


def _pass(done: PastPass) -> PassOnPage:
    if done.exit_code is None or done.length is None:
        return PassOnPage(done, FAINT, "no end is recorded", None)
    other = max(done.length.total_seconds() - done.in_trials, 0.0)
    return PassOnPage(done, _tone(done), f"exit code {done.exit_code}", other)


def _tone(done: PastPass) -> str:
    return _TONES.get(done.exit_code, FAINT) if done.exit_code is not None else FAINT


def pass_picture(passes: Sequence[PastPass]) -> PassPicture | None:
    """Return the picture of the last 60 passes that ended, with the oldest at the left; None if no pass ended."""
    ended = [(each, each.length.total_seconds()) for each in passes if each.length is not None][-MOST_PASSES:]
    if not ended:
        return None
    longest = max(seconds for _, seconds in ended)
    columns = tuple(_column(each, seconds, longest, place, len(ended)) for place, (each, seconds) in enumerate(ended))
    typical = sorted(seconds for _, seconds in ended)[len(ended) // 2]
    text = f"{len(ended)} passes; the longest took {duration(longest)}, a typical one {duration(typical)}."
    return PassPicture(_HEIGHT, columns, duration(longest), text)


def _column(done: PastPass, seconds: float, longest: float, place: int, count: int) -> PassColumn:
    step = min(100 / count, 4.0)
    height = max(_HEIGHT * seconds / longest, 2.0) if longest > 0 else 2.0
    title = f"{moment(done.began_at)}: {duration(seconds)}, exit code {done.exit_code}"
    return PassColumn(
        f"{place * step:.4g}%", f"{step * 0.75:.4g}%", f"{_HEIGHT - height:.4g}", f"{height:.4g}", _tone(done), title
    )
