"""Keeps the time that a pass has for ways, and tells which of them are left to a later pass."""

from collections.abc import Sequence
from datetime import timedelta

from attrs import define, field

from desired.model import WayName
from reconciler.core.way_budget import has_time, seconds_before
from reconciler.core.ways import RecordedWay
from reconciler.ports.host import Clock


@define
class WayTime:
    """The time that one pass may spend on ways.

    * `budget`: the time for all ways together; None for no limit.
    * `started`: when the first way began, in seconds of the monotonic clock; None until a way begins.
    * `left`: the ways for which there was no time, by recipe.
    """

    clock: Clock
    budget: timedelta | None
    started: float | None = None
    left: dict[str, list[WayName]] = field(factory=dict)

    def fits(self, way: WayName, recorded: Sequence[RecordedWay]) -> bool:
        """Return whether there is time to try `way` now.

        * True: there is no limit, or no way was tried in this pass yet.
        * True: `way` would end within the budget if it took as long as last time.
        * False: in any other case.

        `recorded` are the earlier results of the recipe's ways, with the time that each took. A way that was never
        tried counts as 0 seconds.
        """
        elapsed = self.clock.monotonic() - self.started if self.started is not None else 0.0
        return has_time(self.budget, elapsed, seconds_before(recorded, way), is_first=self.started is None)

    def begins(self, recipe: str, way: WayName, recorded: Sequence[RecordedWay]) -> bool:
        """Return whether there is time to try `way` now. The caller tries the way if there is.

        If there is time, and `way` is the first way of this pass, note the present time in `started`. If there is no
        time, add `way` to `left`, for a later pass. `recorded` are the earlier results of the recipe's ways: they say
        how long `way` took last time.
        """
        if not self.fits(way, recorded):
            self.left.setdefault(recipe, []).append(way)
            return False
        if self.started is None:
            self.started = self.clock.monotonic()
        return True

    def notes(self) -> tuple[str, ...]:
        """Return one note that names the ways for which there was no time; () if there was time for all."""
        left = "; ".join(f"{name} {', '.join(ways)}" for name, ways in self.left.items())
        return (f"over budget ([budget] ways), left to a later pass: {left}",) if left else ()
