"""The text of `reconcile history` and `reconcile events`: a table with a line for each event."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from reconciler.core.events import Event
from reconciler.show.escape import escape
from reconciler.show.quantities import age, moment
from reconciler.show.text.screen import NOTHING, Cell, Screen, Style, align, paint

_WORDS: Final[Mapping[str, Style]] = {
    "promoted": Style.GOOD,
    "repaired": Style.GOOD,
    "red": Style.BAD,
    "green-not-promoted": Style.BAD,
    "infrastructure": Style.BAD,
    "abandoned": Style.WARN,
    "rolled-back": Style.WARN,
    "drift": Style.WARN,
}


def event_rows(events: Sequence[Event], screen: Screen, now: datetime, *, whole: bool = True) -> list[str]:
    """Return the lines of a table of `events`, in the same order. The first line has the titles of the columns.

    If `whole`, the table has a column RECIPE. Ages are counted back from `now`.
    """
    titles = ["TIME", "AGO", *(["RECIPE"] if whole else []), "EVENT", "RELEASE", "BY", "WHAT"]
    return align(titles, [_cells(event, now, whole=whole) for event in events], screen)


def _cells(event: Event, now: datetime, *, whole: bool) -> list[Cell]:
    return [
        Cell(moment(event.at), Style.FAINT),
        Cell(age(event.at, now)),
        *([Cell(event.recipe or NOTHING, Style.STRONG)] if whole else []),
        Cell(event.what, _WORDS.get(event.what, Style.PLAIN)),
        Cell(event.version or NOTHING),
        Cell(event.by or NOTHING),
        Cell(event.text or NOTHING),
    ]


def event_text(event: Event, screen: Screen) -> str:
    """Return one event as a line of text with a final newline. The line has no age, which would soon be wrong."""
    what = paint(event.what, _WORDS.get(event.what, Style.PLAIN), screen)
    name = [paint(event.recipe, Style.STRONG, screen)] if event.recipe else []
    by = [escape(f"by {event.by}")] if event.by else []
    told = [escape(text) for text in (event.version, event.text) if text]
    return "  ".join([moment(event.at), *name, what, *told, *by]) + "\n"
