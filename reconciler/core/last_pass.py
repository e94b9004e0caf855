"""Finds out when the last pass over the whole fleet ended, and whether that is too long ago."""

from datetime import datetime, timedelta

from attrs import frozen

from reconciler.core.exit_codes import COULD_NOT, HOLLOW
from state.records import LedgerEntry


@frozen
class LastWholePass:
    """When the last pass over the whole fleet ended, and whether that is too long ago.

    * `finished_at`: when the pass ended; None if no such pass is recorded.
    * `stale_after`: how old the pass may be before it counts as stale; None if the fleet declares no limit.
    * `now`: the present time.
    """

    finished_at: datetime | None
    stale_after: timedelta | None
    now: datetime

    @property
    def age(self) -> timedelta | None:
        """Return the time since the last pass over the whole fleet ended; None if no such pass is recorded.

        Return zero if that pass ended later than `now`, as after a change of the clock.
        """
        return max(self.now - self.finished_at, timedelta()) if self.finished_at is not None else None

    @property
    def is_stale(self) -> bool:
        """Return whether the last pass over the whole fleet is older than the declared limit, or none is recorded.

        Return False if the fleet declares no limit.
        """
        return self.stale_after is not None and (self.age is None or self.age > self.stale_after)


def is_whole_pass(entry: LedgerEntry) -> bool:
    """Return whether an entry of the ledger is the end of a pass over the whole fleet.

    Return False if that pass was interrupted. Return False also if it had the exit code HOLLOW (5): no recipe was
    enrolled, or its report lacked a recipe.
    """
    body = entry.body
    is_complete = "selected" in body and body["selected"] is None and body.get("signal") is None
    return is_complete and body.get("exit_code") != HOLLOW


def code_with_last_pass(code: int, last: LastWholePass) -> int:
    """Return the exit code of a command, which is `code` unless the last pass over the whole fleet is stale.

    * HOLLOW (5) if `code` is HOLLOW: a report lacks something. That is graver than a stale pass.
    * Else COULD_NOT (1) if the last pass over the whole fleet is stale.
    * Else `code`.
    """
    return COULD_NOT if last.is_stale and code != HOLLOW else code
