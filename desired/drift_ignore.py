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
    """What a recipe declares in `[drift]`: differences that `reconcile drift` shows, but does not count.

    * `ignore`: the words for these differences, such as "down".
    * `reason`: why they are ignored.
    * `until`: the day (UTC) from which they count again; None if nothing is ignored.
    """

    ignore: tuple[str, ...] = ()
    reason: str = ""
    until: date | None = None
