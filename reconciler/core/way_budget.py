"""Decides which ways still fit the time that a pass has for ways, and which come first."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from desired.model import WayName
from reconciler.core.ways import RecordedWay

_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)


def has_time(budget: timedelta | None, elapsed: float, took: float, *, is_first: bool) -> bool:
    """Return whether a way may still be begun in a pass.

    `budget` is the time that a pass has for ways, None for any time. `elapsed` are the seconds since the first way
    began, and `took` those that this way took last time, 0 if that is not known. The first way of a pass always fits,
    so that one that takes longer than the whole budget is not left out for ever.
    """
    if budget is None or is_first:
        return True
    total = budget.total_seconds()
    return elapsed < total and elapsed + took <= total


def seconds_before(recorded: Iterable[RecordedWay], way: WayName) -> float:
    """Return how many seconds the way took last time; 0 if it was never tried. `recorded` has the oldest first."""
    return next((each.result.seconds for each in reversed(tuple(recorded)) if each.result.way is way), 0.0)


def tried_since(recorded: Iterable[RecordedWay]) -> datetime:
    """Return when a pass last tried a way of the recipe; a day in 1970 if none did.

    Recipes are taken in the order of this time, so that one whose ways end in errors does not keep others waiting.
    """
    return max((each.at for each in recorded if each.by_pass), default=_LONG_AGO)
