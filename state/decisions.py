"""What a person decided about a recipe: to hold it, or to roll it back. The registry keeps both until they end."""

from datetime import date, datetime

from attrs import frozen


@frozen
class Hold:
    """A person's decision that no release of a recipe is tried or promoted for a while.

    `who` decided it, for the reason `reason`, at the time `at`. It ends when the day `until` begins in UTC; None if it
    has no end.
    """

    recipe: str
    reason: str
    who: str
    at: datetime
    until: date | None = None

    def is_over(self, today: date) -> bool:
        """Whether the hold has ended. `today` is the day in UTC."""
        return self.until is not None and self.until <= today


@frozen
class Rollback:
    """A person's decision to go back to an older generation.

    `who` decided it, for the reason `reason`, at the time `at`. `version` is the release of that generation. `left` is
    the newest release that was left: until upstream has a newer release than `left`, no release is promoted.
    """

    recipe: str
    reason: str
    who: str
    at: datetime
    version: str
    left: str
