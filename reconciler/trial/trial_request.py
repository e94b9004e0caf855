"""The request for a trial: which release it tests, and how."""

from pathlib import Path

from attrs import frozen

from desired.model import Recipe, TierName
from desired.releases import Release
from reconciler.core.base import Base
from reconciler.deploy.app_set import AppSet
from state.records import Canonical


@frozen
class TrialRequest:
    """Which release a trial tests, and how.

    * `id`: names the trial in logs and records.
    * `recipe`, `release`: what is tested.
    * `app_set`: the apps that the recipe needs, and last the recipe itself at `release`.
    * `base`: the release from which the upgrade starts.
    * `canonical`: the recipe's newest generation that is intact; None if there is none.
    * `by_pass`: True if a pass chose the release, False if a person did.
    * `files`: the digest of the fleet folders of the app set.
    * `tests`: the digest of everything on which a verdict depends, besides the release.
    * `folder`: the recipe's locked working folder.
    * `tiers`: the tiers to run.
    * `has_company`: True if other trials can be running at the same time.
    * `failed_in_company`: why an earlier trial of the release failed while other trials ran; "" if none failed so.
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
