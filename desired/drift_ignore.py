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
    """The names of differences that `drift` shows but does not count until the day `until` (UTC), and the reason.

    `until` is None if nothing is ignored.
    """

    ignore: tuple[str, ...] = ()
    reason: str = ""
    until: date | None = None
