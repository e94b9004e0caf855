"""Decides which ways still fit the time that a pass has for ways, and which come first."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from desired.model import WayName
from reconciler.core.ways import RecordedWay

_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)


def has_time(budget: timedelta | None, elapsed: float, took: float, *, is_first: bool) -> bool:
    """Return whether a pass has enough time left to begin a way: `elapsed` and `took` together must fit into `budget`.

    * `budget`: the time that a pass has for all ways; None for no limit: then return True.
    * `elapsed`: the seconds since the first way of the pass began.
    * `took`: the seconds that this way took last time; 0 if that is not known.
    * `is_first`: True if this is the first way of the pass. Then return True: so every way is tried at some time, even
      one that takes longer than the whole budget.
    """
    if budget is None or is_first:
        return True
    total = budget.total_seconds()
    return elapsed < total and elapsed + took <= total


def seconds_before(recorded: Iterable[RecordedWay], way: WayName) -> float:
    """Return how many seconds `way` took last time; 0 if it was never tried.

    `recorded` are the results of the recipe's ways, the oldest first.
    """
    return next((each.result.seconds for each in reversed(tuple(recorded)) if each.result.way is way), 0.0)


def tried_since(recorded: Iterable[RecordedWay]) -> datetime:
    """Return when a pass last tried a way of a recipe; a day in 1970 if no pass did.

    `recorded` are the results of the recipe's ways. Passes begin with the recipe that was tried longest ago.
    """
    return max((each.at for each in recorded if each.by_pass), default=_LONG_AGO)
