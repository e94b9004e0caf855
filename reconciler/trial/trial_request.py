"""What a trial is told to try."""

from pathlib import Path

from attrs import frozen

from desired.model import Recipe, Release, TierName
from reconciler.core.base import Base
from reconciler.deploy.app_set import AppSet
from state.records import Canonical


@frozen
class TrialRequest:
    """What a trial tries, and on what terms.

    `app_set` is the recipe at the release under test, after everything it needs. `tiers` are those that were asked for,
    `files` and `tests` the digests of the fleet's folders, `folder` the recipe's locked working folder.
    """

    id: str
    recipe: Recipe
    release: Release
    app_set: AppSet
    base: Base
    canonical: Canonical | None
    by_pass: bool
    files: str
    tests: str
    folder: Path
    tiers: frozenset[TierName] = frozenset(TierName)
