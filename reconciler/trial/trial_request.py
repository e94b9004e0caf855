"""The request for a trial: which release it tests, and how."""

from pathlib import Path

from attrs import frozen

from desired.model import Recipe, TierName
from desired.releases import Release
from reconciler.core.base import Base
from reconciler.deploy.app_set import AppSet
from state.disk_use import DiskUse
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
    * `earlier_peak`: the most that earlier runs of the trial took of the disk; None if there were none. Images that an
      earlier run pulled are on the disk already, so that a later run cannot measure them.
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
    earlier_peak: DiskUse | None = None
