"""The request for a trial."""

from pathlib import Path

from attrs import frozen

from desired.model import Recipe, Release, TierName
from reconciler.core.base import Base
from reconciler.deploy.app_set import AppSet
from state.records import Canonical


@frozen
class TrialRequest:
    """Which release a trial tests, and how.

    `id` names the trial in logs and records. `app_set` has the recipe's needs first, and the recipe at `release` last.
    `base` is the release from which the upgrade starts. `canonical` is the newest intact generation, None if there is
    none. `by_pass`: a pass chose the release. `files` is the digest of the fleet folders of the app set. `tests` is the
    digest of all that a verdict depends on, besides the release. `folder` is the recipe's locked working folder.
    `tiers` are the tiers to run. `has_company`: other trials may run at the same time. `failed_in_company` is the
    reason why an earlier trial of the release failed while other trials ran, "" if there was none.
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
    has_company: bool = False
    failed_in_company: str = ""
