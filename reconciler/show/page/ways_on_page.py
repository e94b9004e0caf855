"""Chooses what the page shows of each canonical's ways: the results that count, the dangerous ones first."""

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
    """The result of one way, as the page shows it.

    * `way`: the name of the way.
    * `answer`: the answer of the way, or "DANGER" if data may be lost.
    * `tone`: the word by which the style sheet chooses the colour of the answer.
    * `text`: the rest of the result in one line, cut if it is long.
    * `at`: when the way was tried.
    * `by_hand`: True if a person tried it, False if a pass did.
    * `seconds`: how long trying the way took.
    """

    way: str
    answer: str
    tone: str
    text: str
    at: datetime
    by_hand: bool
    seconds: float


def ways_on_page(recorded: Iterable[RecordedWay], most: int) -> tuple[WayOnPage, ...]:
    """Return the `most` gravest results of ways, as the page shows them, the gravest first.

    Results in which data may be lost come first. The other results with the answer NO follow, and then ERROR, SKIP and
    YES. `most` also limits the text of each result: it is cut to 40 * `most` characters. Both limits keep a page with
    many recipes small.
    """
    ordered = sorted(recorded, key=_gravity)
    return tuple(_way(each, 40 * most) for each in ordered[:most])


def danger_warnings(explained: Sequence[Explanation]) -> tuple[str, ...]:
    """Return a warning for each way of a canonical in which data may be lost, but at most ten warnings.

    If there are more such ways, one more text says how many.
    """
    found = [
        f"{each.recipe} {way.result.release.version}: {way.result.way} {_shortened(way_text(way.result), 300)}"
        for each in explained
        for way in each.ways
        if is_dangerous(way.result)
    ]
    left = len(found) - MOST_DANGERS
    return (*found[:MOST_DANGERS], *([f"{left} more ways are dangerous: see the recipes"] if left > 0 else []))


def _gravity(recorded: RecordedWay) -> int:
    """Return a sort key for results: those in which data may be lost, other answers NO, then ERROR, SKIP and YES."""
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
        by_hand=not recorded.by_pass,
        seconds=result.seconds,
    )


def _shortened(text: str, most: int) -> str:
    """Return `text` cut to at most `most` characters. A text that is cut ends with "…"."""
    return text if len(text) <= most else text[: most - 1] + "…"
