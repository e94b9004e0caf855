"""A report as text: a table of all recipes and orphans, the failed steps, notes, and the summary line."""

from collections.abc import Sequence
from typing import Final

from attrs import evolve

from reconciler.core.last_pass import LastWholePass
from reconciler.core.outcome import Result
from reconciler.core.plan import Action
from reconciler.core.report import Report, ReportBucket, ReportCommand, Row, bucket_of
from reconciler.core.unread_tags import format_tag
from reconciler.show.escape import escape, shorten, width
from reconciler.show.quantities import count_of
from reconciler.show.text.columns import CLAUSE, WHY, Column, columns_of, why
from reconciler.show.text.drift_blocks import FITS, drift_blocks, drift_notes, observed_line
from reconciler.show.text.failed_steps import FAILED_RESULTS, failed_steps, notes_of
from reconciler.show.text.legend import legend
from reconciler.show.text.pass_age import last_pass_lines
from reconciler.show.text.screen import Cell, Screen, Style, align, paint, room_left

MOST_TAGS: Final = 20
LEAST_WHY: Final = 9
VERSION_WIDTHS: Final = (24, 20, 16, 12)
"""To how many columns versions are cut, one after the other, until an ordinary table fits."""
LEFT_OUT: Final = ("CAUSE", "STATE", "MIRROR", "HAVE", "WANT")
"""Columns that an ordinary table leaves out on a narrow terminal, one after the other, until it fits."""


def render_report(
    report: Report, screen: Screen, *, wide: bool = False, state: str = "", last: LastWholePass | None = None
) -> str:
    """Return the report as text: a table of recipes, the failed steps, notes, and the summary line.

    `wide` adds columns and a legend. `state` is the state folder, to which paths of logs are relative. `last` is the
    last pass over the whole fleet; None if its age is not to be shown.
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
    """Return the lines of the table of recipes.

    The last column, WHY, has short texts, and lines below the table have the whole reasons. If the table is `wide`, WHY
    itself has the whole reasons.
    """
    if wide:
        titles, rows = _cells(report, columns_of(report, wide=True), WHY)
        return align(titles, rows, screen)
    titles, rows = _fitted_cells(report, screen)
    # In a file nothing is cut: programs such as grep look for these words.
    room = room_left(titles[:-1], rows, screen)
    last = None if room is None else max(room, LEAST_WHY)
    below = [*_left_out_line(report, titles), *_sentences_below(report, screen)]
    return align(titles, rows, screen, last) + (["", *below] if below else [])


def _left_out_line(report: Report, titles: Sequence[str]) -> list[str]:
    """Return a line that names the columns for which the terminal is too narrow; an empty list if there are none."""
    lacking = [each.title for each in columns_of(report, wide=False) if each.title not in titles]
    return [f"(no room for {', '.join(lacking)}; all columns: -o wide)"] if lacking else []


def _cells(report: Report, columns: Sequence[Column], last: Column) -> tuple[list[str], list[list[Cell]]]:
    """Return the titles and the rows of a table with the columns `columns` and, at the end, `last`."""
    shown = (*columns, last)
    return [each.title for each in shown], [[each.cell(row, report.run) for each in shown] for row in report.rows]


def _fitted_cells(report: Report, screen: Screen) -> tuple[list[str], list[list[Cell]]]:
    """Return the titles and the rows of the ordinary table, with versions cut as far as needed for the screen.

    On a terminal that is narrower than most, columns in `LEFT_OUT` are left out as well, one after the other, until the
    last column, WHY, is whole.
    """
    wanted = Screen(screen.width or FITS)
    is_narrow = screen.width is not None and screen.width < FITS
    columns = columns_of(report, wide=False)
    titles, rows = _cells(report, columns, CLAUSE)
    rows = _fitted(titles, rows, wanted)
    for left_out in LEFT_OUT if is_narrow else ():
        if _fits(titles, rows, wanted):
            break
        columns = tuple(each for each in columns if each.title != left_out)
        titles, rows = _cells(report, columns, CLAUSE)
        rows = _fitted(titles, rows, wanted)
    return titles, rows


def _fits(titles: Sequence[str], rows: Sequence[Sequence[Cell]], screen: Screen) -> bool:
    """Return whether the table fits the screen with its last column whole."""
    room = room_left(titles[:-1], rows, screen)
    return room is None or room >= max((width(cells[-1].text) for cells in rows), default=0)


def _fitted(titles: Sequence[str], rows: Sequence[Sequence[Cell]], screen: Screen) -> list[list[Cell]]:
    """Return the rows of a table with versions cut, as far as needed for the table to fit the screen.

    Versions are in the columns WANT and HAVE. They are cut to the widths in `VERSION_WIDTHS`, one after the other,
    until the table fits. After the last of these widths, nothing more is cut, even if the table does not fit. `titles`
    are the titles of the columns.
    """
    fitted = [list(cells) for cells in rows]
    versions = [index for index, title in enumerate(titles) if title in {"WANT", "HAVE"}]
    for columns in VERSION_WIDTHS:
        if _fits(titles, fitted, screen):
            break
        for cells in fitted:
            for index in versions:
                cells[index] = evolve(cells[index], text=shorten(cells[index].text, columns))
    return fitted


def _sentences_below(report: Report, screen: Screen) -> list[str]:
    """Return a line with the whole reason of each recipe whose short text in WHY does not say everything.

    Recipes with a failed step are left out, because a block on the failed step has the reason. One more line, the last,
    says how to see more. Return an empty list if no recipe is left.
    """
    shown = [row for row in report.rows if row.result not in FAILED_RESULTS and not _is_plain(row)]
    lines = [f"{paint(row.recipe, Style.STRONG, screen)}: {escape(why(row, report.run))}" for row in shown]
    return [*lines, "more, with what would change it: reconcile explain NAME"] if lines else []


def _is_plain(row: Row) -> bool:
    """Return whether the short text in WHY says all: the recipe is in sync, ignored, or only waits for a pass."""
    if row.result is not Result.NONE:
        return False
    if bucket_of(row) is ReportBucket.TO_PROMOTE:
        return row.step.reason == row.finding.reason
    return bucket_of(row) in {ReportBucket.IN_SYNC, ReportBucket.IGNORED}


def _not_releases(report: Report, screen: Screen) -> list[str]:
    """Return a line for each recipe whose upstream has tags that are no releases. A line names at most 20 such tags."""
    odd = {row.recipe: row.finding.not_releases for row in report.rows if row.finding.not_releases}
    return [
        f"{paint(recipe, Style.STRONG, screen)}: no releases: {escape(_first_tags(tags))}"
        for recipe, tags in odd.items()
    ]


def _first_tags(tags: Sequence[str]) -> str:
    """Return a text that names the first 20 of the tags, and says how many more there are."""
    more = f" and {len(tags) - MOST_TAGS} more" if len(tags) > MOST_TAGS else ""
    return ", ".join(map(format_tag, tags[:MOST_TAGS])) + more


def _notes(report: Report, screen: Screen) -> list[str]:
    """Return a line for each remark on a recipe, and then a line for each note on the whole run."""
    is_drift = report.run.command is ReportCommand.DRIFT
    remarks = ((row, (*notes_of(row), *(drift_notes(row) if is_drift else ()))) for row in report.rows)
    noted = [f"{row.recipe}: {remark}" for row, said in remarks for remark in said]
    return [paint(f"note: {note}", Style.WARN, screen) for note in (*noted, *report.notes)]


def _nothing_done(report: Report) -> list[str]:
    """Return one line, "nothing was run: …", if the run took no step and none is left to take; else an empty list."""
    if any(row.step.action is not Action.NONE or row.result is not Result.NONE or row.ways for row in report.rows):
        return []
    line = "nothing was run" if report.run.command is ReportCommand.PASS else "no release for a pass to try"
    return [f"{line}: {count_of(report.population.observed, 'recipe')} checked"]
