"""The text on ways: what was tried of a release beside its tiers."""

from collections.abc import Sequence

from reconciler.core.way_kinds import WayAnswer
from reconciler.core.ways import RecordedWay, WayResult, is_dangerous, way_text
from reconciler.show.quantities import duration, moment
from reconciler.show.text.screen import Cell, Screen, Style, align


def way_rows(results: Sequence[WayResult], screen: Screen) -> list[str]:
    """Return a table, as lines, with the result of each way that a trial tried; an empty list if it tried none."""
    rows = [
        [Cell(result.way), Cell(result.answer, way_style(result)), Cell(duration(result.seconds)), Cell(_why(result))]
        for result in results
    ]
    return align(["WAY", "ANSWER", "TOOK", "REASON"], rows, screen) if rows else []


def recorded_way_text(recorded: RecordedWay) -> str:
    """Return the recorded result of a way in one line, with when it was tried, and the path of its log."""
    by_hand = "" if recorded.by_pass else ", by hand"
    return f"{way_text(recorded.result)} (tried {moment(recorded.at)}{by_hand}, {recorded.result.log})"


def way_style(result: WayResult) -> Style:
    """Return the style for the answer of a way. It is BAD only for an error, or if data may be lost."""
    if is_dangerous(result) or result.answer is WayAnswer.ERROR:
        return Style.BAD
    return {WayAnswer.YES: Style.GOOD, WayAnswer.NO: Style.WARN}.get(result.answer, Style.FAINT)


def _why(result: WayResult) -> str:
    """Return the text on a result without the answer, which is shown in a column of its own."""
    return way_text(result).removeprefix(f"{result.answer} ").removeprefix(f"{result.answer}: ")
