"""What a trial is told to try."""

from pathlib import Path

from attrs import frozen

from desired.model import Recipe, Release, TierName
from reconciler.core.base import Base
from reconciler.deploy.deploying import AppSet
from state.records import Canonical


@frozen
class Assignment:
    """What is to be tried, and on what terms. `cast` is the recipe at the release under test, after all that it needs.

    `tiers` are those that were asked for; `files` and `tests` are digests as in what was seen of the recipe; `folder`
    is its reserved working folder.
    """

    id: str
    recipe: Recipe
    release: Release
    cast: AppSet
    base: Base
    canonical: Canonical | None
    by_pass: bool
    files: str
    tests: str
    folder: Path
    tiers: frozenset[TierName] = frozenset(TierName)
