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

        The time is negative if that pass is recorded to have ended later than `now`.
        """
        return self.now - self.finished_at if self.finished_at is not None else None

    @property
    def is_ahead(self) -> bool:
        """Return whether the last pass over the whole fleet ended later than `now`: a clock was or is wrong."""
        return self.finished_at is not None and self.finished_at > self.now

    @property
    def is_stale(self) -> bool:
        """Return whether the last pass over the whole fleet is older than the declared limit, or none is recorded.

        Return True too if that pass ended later than `now`, since nobody knows then how long ago it really ended.
        Return False if the fleet declares no limit.
        """
        if self.stale_after is None:
            return False
        return self.age is None or self.is_ahead or self.age > self.stale_after


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
