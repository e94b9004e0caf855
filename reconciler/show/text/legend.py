"""The table below a wide report that explains its labels."""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from reconciler.core.report import Report, ReportCommand
from reconciler.show.labels import ACTION_WORDS, ACTIONS, CAUSES, HOLDS, MIRRORS, RESULTS, STATES
from reconciler.show.text.screen import Cell, Screen, Style, align

Label = TypeVar("Label", bound=str)


def legend(report: Report, screen: Screen) -> list[str]:
    """Return the lines of a table that explains each label that the report has, such as "in-sync".

    Return an empty list if the report has no rows.
    """
    rows = report.rows
    is_pass = report.run.command is ReportCommand.PASS
    lines = [
        *_used_labels("CAUSE", CAUSES, (row.finding.cause for row in rows)),
        *_used_labels("STATE", STATES, (row.finding.status.state for row in rows)),
        *_used_labels("MIRROR", MIRRORS, (row.finding.mirror for row in rows)),
        *(_used_labels("RESULT", RESULTS, (row.result for row in rows)) if is_pass else ()),
        *_used_labels("LEFT" if is_pass else "ACTION", ACTIONS, (ACTION_WORDS[row.step.action] for row in rows)),
        *_used_labels("HELD", HOLDS, (row.step.held_back for row in rows if row.step.held_back)),
    ]
    if rows:
        names = ", ".join(f"{item.name[:1].upper()} {item.name}" for item in rows[0].gate)
        lines.append([Cell("GATE"), Cell("+ - ."), Cell(f"holds, does not, cannot be judged yet: {names}")])
    return align(["COLUMN", "WORD", "MEANS"], lines, screen) if lines else []


def _used_labels(column: str, meanings: Mapping[Label, str], used: Iterable[Label]) -> list[list[Cell]]:
    """Return a row for each label in `meanings` that is also in `used`.

    A row has three cells: `column` (the title of the column that has the label), the label, and its meaning.
    """
    used = set(used)
    return [[Cell(column), Cell(label), Cell(text, Style.FAINT)] for label, text in meanings.items() if label in used]
