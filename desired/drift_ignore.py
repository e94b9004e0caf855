"""Which differences of a recipe a declaration may ignore for a while."""

from datetime import date

from attrs import frozen

DRIFT_WORDS = (
    "first-release",
    "new-release",
    "ambiguous",
    "ahead",
    "moved",
    "mirror-behind",
    "damaged",
    "down",
    "mirror-missing",
    "mirror-unreadable",
)
"""The words for differences that a declaration may ignore. A state that could not be read can never be ignored."""


@frozen
class DriftIgnore:
    """What the declared `[drift]` says: which differences `drift` shows, but does not count.

    They count again from the day `until` (UTC) on, which is None if nothing is ignored. `reason` is why.
    """

    ignore: tuple[str, ...] = ()
    reason: str = ""
    until: date | None = None
