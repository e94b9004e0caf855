"""The text of `reconcile drift`, in three blocks: what is desired, what is here, and what cannot be seen."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from reconciler.core.drift import DriftItem, DriftSide
from reconciler.core.findings import Cause
from reconciler.core.plan import HeldBack
from reconciler.core.report import Report, Row
from reconciler.show.quantities import age, count_of, moment
from reconciler.show.text.screen import Cell, Screen, Style, align, paint, room_left

FITS: Final = 100
"""The width of an ordinary table where there is no terminal, in columns."""

DRIFT_TITLES: Final[Mapping[DriftSide, str]] = {
    DriftSide.DESIRED: "what is desired has moved: a declaration, or a tag upstream",
    DriftSide.ACTUAL: "what is here has moved: a snapshot, a deployment or a mirror",
    DriftSide.UNSEEN: "could not be seen, so nobody knows whether it has moved",
}
_LEAST: Final = 20


def drift_blocks(report: Report, screen: Screen, *, wide: bool) -> Iterator[list[str]]:
    """Yield the blocks of `reconcile drift`, each as a list of lines with a title and a table of differences.

    There is a block for each side (what is desired, what is here, what cannot be seen), and at the end a block of
    differences that a rule ignores. Blocks without differences are left out. Recipes that are not enrolled are only in
    the block at the end. Reasons are cut to the width of the screen unless `wide`. Ages are counted back from the end
    of the run.
    """
    found = [(row, item) for row in report.rows for item in row.drift.items]
    now = report.run.finished_at
    for side, title in DRIFT_TITLES.items():
        items = [(row, item) for row, item in found if item.difference.side is side and not _is_left_out(row, item)]
        if items:
            yield [paint(title, Style.STRONG, screen), *_table(items, screen, now, wide=wide)]
    ignored = [(row, item) for row, item in found if item.ignored]
    if ignored:
        yield [paint("ignored by [drift] ignore", Style.STRONG, screen), *_ignored(ignored, screen, now)]


def _is_left_out(row: Row, item: DriftItem) -> bool:
    """Return whether a difference is left out of the blocks of the three sides.

    It is left out if a rule ignores the difference, or if the recipe is not enrolled.
    """
    return item.ignored or row.step.held_back is HeldBack.EXCEPTED


def _table(items: Sequence[tuple[Row, DriftItem]], screen: Screen, now: datetime, *, wide: bool) -> list[str]:
    titles = ["RECIPE", "DIFFERS", "SINCE"]
    cells = [
        [Cell(row.recipe, Style.STRONG), Cell(item.difference.what, Style.WARN), Cell(_since(row, item, now))]
        for row, item in items
    ]
    room = None if wide else room_left(titles, cells, Screen(screen.width or FITS))
    rows = [[*line, Cell(item.difference.reason)] for line, (_, item) in zip(cells, items, strict=True)]
    return align([*titles, "WHY"], rows, screen, None if room is None else max(room, _LEAST))


def drift_since(row: Row, item: DriftItem) -> datetime | None:
    """Return when a pass first saw the difference `item` of a recipe; None if that is not known.

    If no pass has seen the difference yet, and its side is DESIRED (it comes from the declaration or upstream's tags),
    return when the wanted release was first seen.
    """
    return item.since or (row.finding.since if item.difference.side is DriftSide.DESIRED else None)


def _since(row: Row, item: DriftItem, now: datetime) -> str:
    since = drift_since(row, item)
    return age(since, now) if since is not None else "no pass saw it"


def _ignored(items: Sequence[tuple[Row, DriftItem]], screen: Screen, now: datetime) -> list[str]:
    rows = [
        [
            Cell(row.recipe, Style.STRONG),
            Cell(item.difference.what, Style.FAINT),
            Cell(_since(row, item, now)),
            Cell(str(row.drift.rule.until)),
            Cell(row.drift.rule.reason),
        ]
        for row, item in items
    ]
    return align(["RECIPE", "DIFFERS", "SINCE", "UNTIL", "REASON"], rows, screen)


def drift_notes(row: Row) -> Iterator[str]:
    """Yield texts on a recipe's rule `[drift] ignore`: the rule has ended, or some of its words ignore nothing now."""
    rule, drift = row.drift.rule, row.drift
    if drift.rule_ended:
        yield f"[drift] ignore ended on {rule.until} ({rule.reason}): what it named counts again"
    if drift.unused:
        yield f"[drift] ignore is not needed now: nothing is {' or '.join(drift.unused)}"


def observed_line(report: Report) -> str:
    """Return a line on how old the facts of the report are, such as "observed 2026-11-24 10:38:41 UTC: 3 recipes".

    For each recipe that could not be seen now, the line also says when a pass last saw it.
    """
    now = report.run.finished_at
    unseen = [row for row in report.rows if row.finding.cause is Cause.UNOBSERVABLE]
    texts = [f"observed {moment(now)}: {count_of(report.population.observed, 'recipe')}"]
    return "; ".join([*texts, *(_last_seen(row, now) for row in unseen)])


def _last_seen(row: Row, now: datetime) -> str:
    seen = row.drift.last_seen
    return f"no pass has seen {row.recipe}" if seen is None else f"a pass last saw {row.recipe} {age(seen, now)} ago"
