"""Chooses what the page shows of each canonical's ways: the newest results, the dangerous ones first."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from attrs import frozen

from reconciler.core.explanation import Explanation
from reconciler.core.way_kinds import WayAnswer
from reconciler.core.ways import RecordedWay, is_dangerous, way_text
from reconciler.show.page import tones

MOST_DANGERS: Final = 10
_TONES: Final = {WayAnswer.YES: tones.GOOD, WayAnswer.NO: tones.WARN, WayAnswer.ERROR: tones.WARN}


@frozen
class WayOnPage:
    """The result of one way.

    * `answer`: its answer, or "DANGER" if data may be lost.
    * `tone`: the word by which the style sheet chooses the colour of that answer.
    * `text`: the rest of the result in one line, shortened.
    * `seconds`: how long it took.
    """

    way: str
    answer: str
    tone: str
    text: str
    at: datetime
    seconds: float


def ways_on_page(recorded: Iterable[RecordedWay], most: int) -> tuple[WayOnPage, ...]:
    """Return at most `most` results, the dangerous and the closed ones first.

    The fewer are shown, the shorter each text.
    """
    ordered = sorted(recorded, key=_gravity)
    return tuple(_way(each, 40 * most) for each in ordered[:most])


def danger_warnings(explained: Sequence[Explanation]) -> tuple[str, ...]:
    """Return a warning for each dangerous way of a canonical. After ten, one more text counts the others."""
    found = [
        f"{each.recipe} {way.result.release.version}: {way.result.way} {_shortened(way_text(way.result), 300)}"
        for each in explained
        for way in each.ways
        if is_dangerous(way.result)
    ]
    left = len(found) - MOST_DANGERS
    return (*found[:MOST_DANGERS], *([f"{left} more ways are dangerous: see the recipes"] if left > 0 else []))


def _gravity(recorded: RecordedWay) -> int:
    """Return the place of a result in the order of the page: danger, no, error, skip, yes."""
    order = (WayAnswer.NO, WayAnswer.ERROR, WayAnswer.SKIP, WayAnswer.YES)
    return -1 if is_dangerous(recorded.result) else order.index(recorded.result.answer)


def _way(recorded: RecordedWay, most: int) -> WayOnPage:
    result = recorded.result
    is_danger = is_dangerous(result)
    text = way_text(result).removeprefix(result.answer).lstrip(": ")
    return WayOnPage(
        way=result.way,
        answer="DANGER" if is_danger else result.answer.value,
        tone=tones.BAD if is_danger else _TONES.get(result.answer, tones.FAINT),
        text=_shortened(text.replace("DANGER: ", ""), most),
        at=recorded.at,
        seconds=result.seconds,
    )


def _shortened(text: str, most: int) -> str:
    """Return `text`, with "…" instead of its end if it has more than `most` characters."""
    return text if len(text) <= most else text[: most - 1] + "…"
