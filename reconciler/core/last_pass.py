"""Finds out when the last pass over the whole fleet ended, and whether that is too long ago."""

from datetime import datetime, timedelta

from attrs import frozen

from reconciler.core.exit_codes import COULD_NOT, HOLLOW
from state.records import LedgerEntry


@frozen
class LastWholePass:
    """When the last pass over the whole fleet ended; None if none is recorded. `now` is the present time.

    `stale_after` is the age from which on that pass counts as stale; None if the fleet declares none.
    """

    finished_at: datetime | None
    stale_after: timedelta | None
    now: datetime

    @property
    def age(self) -> timedelta | None:
        """Return the time since the pass ended; None if none is recorded; zero if it ended later than `now`."""
        return max(self.now - self.finished_at, timedelta()) if self.finished_at is not None else None

    @property
    def is_stale(self) -> bool:
        """Whether the pass is older than `stale_after`, or none is recorded.

        False if the fleet declares no such age.
        """
        return self.stale_after is not None and (self.age is None or self.age > self.stale_after)


def is_whole_pass(entry: LedgerEntry) -> bool:
    """Whether an entry "pass-end" of the ledger ends a pass over the whole fleet that was not interrupted.

    False also if that pass had the exit code HOLLOW: no recipe was enrolled, or one was left out of its report.
    """
    body = entry.body
    is_complete = "selected" in body and body["selected"] is None and body.get("signal") is None
    return is_complete and body.get("exit_code") != HOLLOW


def code_with_last_pass(code: int, last: LastWholePass) -> int:
    """Return COULD_NOT if the last whole pass is stale, else `code`, the command's own exit code.

    HOLLOW is graver, and is returned in any case.
    """
    return COULD_NOT if last.is_stale and code != HOLLOW else code
