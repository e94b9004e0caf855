"""What a person decided about a recipe: a hold or a rollback. The registry keeps both until they end."""

from datetime import date, datetime

from attrs import frozen


@frozen
class Hold:
    """A person's decision that no release of a recipe is tried or promoted for a while.

    * `reason`, `who`, `at`: why, by whom and when this was decided.
    * `until`: the day, in UTC, at whose beginning the hold ends; None if it has no end.
    """

    recipe: str
    reason: str
    who: str
    at: datetime
    until: date | None = None

    def is_over(self, today: date) -> bool:
        """Return whether the hold has ended. `today` is the day in UTC."""
        return self.until is not None and self.until <= today


@frozen
class Rollback:
    """A person's decision to go back to an older generation.

    * `reason`, `who`, `at`: why, by whom and when this was decided.
    * `version`: the release of that older generation.
    * `left`: the newest release that was given up, by this rollback or by earlier ones. Nothing is promoted until
      upstream has a newer one than this.
    * `from_version`: the release of the canonical before this rollback; "" in the records of an earlier Canon.
    """

    recipe: str
    reason: str
    who: str
    at: datetime
    version: str
    left: str
    from_version: str = ""
