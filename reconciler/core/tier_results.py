"""The results of a trial: a verdict for each tier, and what follows from all of them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from attrs import evolve, field, frozen

from desired.model import TierName
from desired.releases import Release
from reconciler.core.base import Base
from reconciler.core.ways import GatingWays
from state.disk_use import DiskUse
from state.records import Seal


class Verdict(StrEnum):
    """The verdict of a tier.

    * PASS: it passed.
    * FAIL: it failed by a fault of the recipe.
    * SKIP: it proves nothing; `Skip` says why.
    * ERROR: it could not be judged, by a fault of this host.
    """

    PASS = "pass"  # noqa: S105  a verdict, no password
    FAIL = "fail"
    SKIP = "skip"
    ERROR = "error"


class Skip(StrEnum):
    """Why a tier was skipped.

    * NO_BASE: there is no release to upgrade from.
    * BASE_UNUSABLE: the pinned release, or each older release, cannot be used to upgrade from.
    * BASE_BROKEN: the release to upgrade from does not work.
    * NO_CHECK: nothing is declared that could prove the tier.
    * DECLARED: the recipe's declaration leaves the tier out.
    * NOT_ASKED: a person left the tier out of this trial.
    """

    NO_BASE = "no-base"
    BASE_UNUSABLE = "base-unusable"
    BASE_BROKEN = "base-broken"
    NO_CHECK = "no-check"
    DECLARED = "declared"
    NOT_ASKED = "not-asked"


@frozen
class TierResult:
    """The verdict of one tier.

    * `reason`: why, in one sentence; "" if the tier passed.
    * `seconds`: how long the tier took.
    * `skip`: why the tier was skipped; None if it was not.
    """

    name: TierName
    verdict: Verdict
    reason: str = ""
    seconds: float = 0.0
    skip: Skip | None = None


@frozen
class Candidate:
    """A sealed snapshot, made by a trial, that may become the canonical.

    * `folder`: the folder of the snapshot.
    * `seal`: the hashes by which the snapshot is checked.
    * `lineage`: the releases that have run on its data, the oldest first.
    """

    folder: Path
    seal: Seal
    lineage: tuple[str, ...]


@frozen
class Trial:
    """A cold test of one recipe at one commit, and its results.

    * `by_pass`: True if a pass chose the release, False if a person did.
    * `slots_were_empty`: True if every slot was empty when it was opened.
    * `altered`: tracked files of the checkout that the apps changed.
    * `tests`: the digest of everything on which the verdicts depend, besides the release.
    * `tests_unchanged`: True if the fleet folders were the same before and after the trial.
    * `log`: the folder of the trial's logs, relative to the state folder.
    * `findings`: remarks without effect on the result.
    * `candidate`: the snapshot that may become the canonical; None if the trial did not get that far.
    * `timed_out`: True if a tier failed, or if data.check may prove nothing, because something took too long.
    * `damage`: why the canonical's snapshot could not be deployed; "" if it could, or was not needed.
    * `tail`: the last log lines of the app that failed.
    * `checks_data`: True if data.check can tell that data is lost: it failed before data.mark had written anything.
    * `is_check_slow`: True if data.check took much longer for that failure than to pass. Lack of time may then be why
      it failed, so that `checks_data` is doubtful.
    * `peak`: the most that the trial took of the disk; None if that was not measured.
    * `ways`: the results of the ways on which the promotion depends.
    """

    id: str
    recipe: str
    release: Release
    by_pass: bool
    tiers: tuple[TierResult, ...]
    base: Base
    slots_were_empty: bool
    altered: tuple[str, ...]
    tests: str
    tests_unchanged: bool
    started_at: datetime
    finished_at: datetime
    seconds: float
    log: str
    findings: tuple[str, ...] = ()
    candidate: Candidate | None = None
    timed_out: bool = False
    damage: str = ""
    tail: tuple[str, ...] = field(factory=tuple)
    checks_data: bool = False
    is_check_slow: bool = False
    peak: DiskUse | None = None
    ways: GatingWays = field(factory=GatingWays)


def failed_late(failed_after: float, passed_after: float) -> bool:
    """Return whether lack of time may be why a check failed: it took much longer to fail than to pass.

    The reason: a check with a time limit of its own passes before that limit, but fails only when the limit is over.
    `failed_after` and `passed_after` are the seconds that the check took when it failed, and when it passed.
    """
    return failed_after > 1.5 * passed_after + 0.5


def is_complete(tiers: Iterable[TierResult]) -> bool:
    """Return whether every tier was reached, and none was left out of this trial by a person."""
    reached = [tier.name for tier in tiers if tier.skip is not Skip.NOT_ASKED]
    return reached == list(TierName)


def is_green(tiers: Sequence[TierResult]) -> bool:
    """Return whether every tier was reached, install passed, and every other tier passed or was skipped."""
    if [tier.name for tier in tiers] != list(TierName) or tiers[0].verdict is not Verdict.PASS:
        return False
    return all(tier.verdict in {Verdict.PASS, Verdict.SKIP} for tier in tiers)


def without_unproved_backup(tiers: Iterable[TierResult]) -> tuple[TierResult, ...]:
    """Return the tiers. A passed backup becomes a skip if the restore tier had no check, and so did not prove it."""
    results = tuple(tiers)
    if not any((tier.name, tier.skip) == (TierName.RESTORE, Skip.NO_CHECK) for tier in results):
        return results
    return tuple(_skipped_backup(tier) if tier.name is TierName.BACKUP else tier for tier in results)


def _skipped_backup(backup: TierResult) -> TierResult:
    """Return the result of a backup tier, with SKIP in place of PASS. A result that is not PASS is unchanged."""
    if backup.verdict is not Verdict.PASS:
        return backup
    reason = "was taken, but restoring it proved nothing"
    return evolve(backup, verdict=Verdict.SKIP, reason=reason, skip=Skip.NO_CHECK)


def without_unproved_upgrade(tiers: Iterable[TierResult], *, checks_data: bool) -> tuple[TierResult, ...]:
    """Return the tiers. A passed upgrade becomes a skip if `checks_data` is False.

    An upgrade passes only if data.check failed on the fresh install. `checks_data` is False nevertheless if data.check
    passed later on another fresh install, before anything was restored.
    """
    if checks_data:
        return tuple(tiers)
    reason = "came up over the base's data, which data.check does not prove: it passed on a second fresh install"
    return tuple(
        evolve(tier, verdict=Verdict.SKIP, reason=reason, skip=Skip.NO_CHECK)
        if (tier.name, tier.verdict) == (TierName.UPGRADE, Verdict.PASS)
        else tier
        for tier in tiers
    )


def first_failure(tiers: Iterable[TierResult]) -> TierResult | None:
    """Return the first tier that failed or could not be judged; None if there is none."""
    return next((tier for tier in tiers if tier.verdict in {Verdict.FAIL, Verdict.ERROR}), None)


def level(tiers: Sequence[TierResult]) -> str:
    """Return how many tiers passed, out of those that apply, such as "3/4".

    A tier that the declaration leaves out does not apply. Nor does an upgrade if there is no older release. It applies,
    and did not pass, if the base cannot be used.
    """
    passed = sum(tier.verdict is Verdict.PASS for tier in tiers)
    inapplicable = sum(tier.skip in {Skip.DECLARED, Skip.NO_BASE} for tier in tiers)
    return f"{passed}/{len(TierName) - inapplicable}"
