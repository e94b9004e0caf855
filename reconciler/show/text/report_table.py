"""A report as text: a table of all declared recipes and orphans, the failed steps, notes, and the summary line."""

from collections.abc import Sequence
from typing import Final

from reconciler.core.last_pass import LastWholePass
from reconciler.core.outcome import Result
from reconciler.core.plan import Action
from reconciler.core.report import Report, ReportBucket, ReportCommand, Row, bucket_of
from reconciler.core.unread_tags import format_tag
from reconciler.show.escape import escape, width
from reconciler.show.quantities import count_of
from reconciler.show.text.columns import WHY, columns_of, why
from reconciler.show.text.drift_blocks import drift_blocks, drift_notes, observed_line
from reconciler.show.text.failed_steps import FAILED_RESULTS, failed_steps, notes_of
from reconciler.show.text.legend import legend
from reconciler.show.text.pass_age import last_pass_lines
from reconciler.show.text.screen import Screen, Style, align, paint, room_left

MOST_TAGS: Final = 20
LEAST_WHY: Final = 24
"""If fewer columns are left for WHY, the table has no column WHY, and the reasons are printed below it."""


def render_report(
    report: Report, screen: Screen, *, wide: bool = False, state: str = "", last: LastWholePass | None = None
) -> str:
    """Return the report as text.

    `state` is the state folder, to which the paths of logs are relative. `last` is the last whole pass, None if its age
    is not to be printed.
    """
    is_drift = report.run.command is ReportCommand.DRIFT
    parts = [
        _table(report, screen, wide=wide),
        *(drift_blocks(report, screen, wide=wide) if is_drift else ()),
        legend(report, screen) if wide else [],
        *failed_steps(report, screen, state),
        _not_releases(report, screen) if wide else [],
        _notes(report, screen),
        [*([escape(observed_line(report))] if is_drift else []), *last_pass_lines(last, screen)],
        [*_nothing_done(report), paint(report.line, Style.STRONG, screen)],
    ]
    return "\n\n".join("\n".join(lines) for lines in parts if lines) + "\n"


def _table(report: Report, screen: Screen, *, wide: bool) -> list[str]:
    """Return the lines of the table, and below it the reasons that do not fit into the column WHY."""
    columns = columns_of(report.run.command, wide=wide)
    titles = [column.title for column in columns]
    rows = [[column.cell(row, report.run) for column in columns] for row in report.rows]
    room = None if wide else room_left(titles, rows, screen)
    if room is not None and room < LEAST_WHY:
        return align(titles, rows, screen) + _sentences_below(report, screen, 0)
    whole = [[*cells, WHY.cell(row, report.run)] for cells, row in zip(rows, report.rows, strict=True)]
    return align([*titles, WHY.title], whole, screen, room) + _sentences_below(report, screen, room)


def _sentences_below(report: Report, screen: Screen, room: int | None) -> list[str]:
    """Return the whole text of each WHY cell that is longer than `room` columns, and so cut in the table.

    `room` is None if no cell is cut. Leaves out recipes in sync, and failed steps, whose reasons are printed elsewhere.
    """
    cut = [row for row in report.rows if room is not None and width(escape(why(row, report.run))) > room]
    shown = [row for row in cut if not _is_in_sync(row) and row.result not in FAILED_RESULTS]
    lines = [f"{paint(row.recipe, Style.STRONG, screen)}: {escape(why(row, report.run))}" for row in shown]
    return ["", *lines] if lines else []


def _is_in_sync(row: Row) -> bool:
    return bucket_of(row) is ReportBucket.IN_SYNC and row.result is Result.NONE


def _not_releases(report: Report, screen: Screen) -> list[str]:
    """Return a line for each recipe with tags that are no releases; it names at most 20 of them."""
    odd = {row.recipe: row.finding.not_releases for row in report.rows if row.finding.not_releases}
    return [
        f"{paint(recipe, Style.STRONG, screen)}: no releases: {escape(_first_tags(tags))}"
        for recipe, tags in odd.items()
    ]


def _first_tags(tags: Sequence[str]) -> str:
    """Return the first 20 tags as text, and the number of the others."""
    more = f" and {len(tags) - MOST_TAGS} more" if len(tags) > MOST_TAGS else ""
    return ", ".join(map(format_tag, tags[:MOST_TAGS])) + more


def _notes(report: Report, screen: Screen) -> list[str]:
    """Return a line for each note on a recipe, and for each note on the whole run."""
    is_drift = report.run.command is ReportCommand.DRIFT
    remarks = ((row, (*notes_of(row), *(drift_notes(row) if is_drift else ()))) for row in report.rows)
    noted = [f"{row.recipe}: {remark}" for row, said in remarks for remark in said]
    return [paint(f"note: {note}", Style.WARN, screen) for note in (*noted, *report.notes)]


def _nothing_done(report: Report) -> list[str]:
    """If nothing was done and nothing is left to do, return one line that says so; else an empty list."""
    if any(row.step.action is not Action.NONE or row.result is not Result.NONE for row in report.rows):
        return []
    line = "nothing was run" if report.run.command is ReportCommand.PASS else "nothing for a pass to do"
    return [f"{line}: {count_of(report.population.observed, 'recipe')} checked"]
