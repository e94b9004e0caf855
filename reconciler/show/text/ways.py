"""The text on ways: what was tried of a release beside its tiers."""

from collections.abc import Sequence

from desired.model import WayName
from reconciler.core.way_cases import WayCase, case_name, case_text
from reconciler.core.way_kinds import WayAnswer, WayKind, is_danger
from reconciler.core.ways import RecordedWay, WayResult, way_text
from reconciler.show.quantities import duration, moment
from reconciler.show.text.screen import Cell, Screen, Style, align


def way_rows(results: Sequence[WayResult], screen: Screen) -> list[str]:
    """Return the lines of a table with the result of each way in `results`; an empty list if there are no results."""
    rows = [row for result in results for row in _rows(result)]
    return align(["WAY", "ANSWER", "TOOK", "REASON"], rows, screen) if rows else []


def _rows(result: WayResult) -> list[list[Cell]]:
    """Return the rows of the table for one way: its own row, and a row for each of its cases."""
    why = "" if result.cases else _why(result)
    row = [Cell(result.way), Cell(result.answer, way_style(result)), Cell(duration(result.seconds)), Cell(why)]
    return [row, *(_case_row(result.way, case) for case in result.cases)]


def _case_row(way: WayName, case: WayCase) -> list[Cell]:
    why = _without_answer(case_text(way, case), case.answer)
    return [
        Cell(f"  {case_name(case)}"),
        Cell(case.answer, _style(case.answer, case.kind)),
        Cell(duration(case.seconds)),
        Cell(why),
    ]


def recorded_way_rows(recorded: RecordedWay) -> list[tuple[str, str, Style]]:
    """Return the lines on a recorded result of a way: one for the way, and one for each of its cases.

    Each line is a label, a text, and the style of the text.
    """
    result = recorded.result
    if not result.cases:
        return [(result.way, recorded_way_text(recorded), way_style(result))]
    cases = [
        (f"  {case_name(each)}", case_text(result.way, each), _style(each.answer, each.kind)) for each in result.cases
    ]
    return [(result.way, f"{result.answer} {_tried(recorded)}", way_style(result)), *cases]


def recorded_way_text(recorded: RecordedWay) -> str:
    """Return the recorded result of a way in one line, with when the way was tried, how long that took, and its log."""
    return f"{way_text(recorded.result)} {_tried(recorded)}"


def _tried(recorded: RecordedWay) -> str:
    by_hand = "" if recorded.by_pass else ", by hand"
    result = recorded.result
    return f"(tried {moment(recorded.at)}{by_hand}, took {duration(result.seconds)}, {result.log})"


def way_style(result: WayResult) -> Style:
    """Return the style in which the answer of a way is shown: BAD only for an error, or if data may be lost."""
    return _style(result.answer, result.kind)


def _style(answer: WayAnswer, kind: WayKind | None) -> Style:
    if is_danger(kind) or answer is WayAnswer.ERROR:
        return Style.BAD
    return {WayAnswer.YES: Style.GOOD, WayAnswer.NO: Style.WARN}.get(answer, Style.FAINT)


def _why(result: WayResult) -> str:
    """Return the result of a way in one line, but without the answer, which is shown in a column of its own."""
    return _without_answer(way_text(result), result.answer)


def _without_answer(text: str, answer: WayAnswer) -> str:
    return "" if text == answer else text.removeprefix(f"{answer} ").removeprefix(f"{answer}: ")
