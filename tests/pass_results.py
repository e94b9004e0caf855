"""What a pass reports of each recipe: results, reasons and notes."""

from reconciler.core.outcome import Result
from reconciler.show.text.failed_steps import notes_of
from reconciler.stages.loop import Pass


def results(done: Pass) -> dict[str, Result]:
    return {row.recipe: row.result for row in done.report.rows}


def reasons(done: Pass) -> dict[str, str]:
    return {row.recipe: row.outcome.reason for row in done.report.rows if row.outcome is not None}


def all_notes(done: Pass) -> list[str]:
    """Return the notes of all recipes."""
    return [remark for row in done.report.rows for remark in notes_of(row)]
