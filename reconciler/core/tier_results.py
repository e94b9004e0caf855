"""The results of a trial: a verdict for each tier, and what follows from them together."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from attrs import evolve, field, frozen

from desired.model import Release, TierName
from reconciler.core.base import Base
from state.disk_use import DiskUse
from state.records import Seal


class Verdict(StrEnum):
    """The verdict of a tier. FAIL: the recipe is at fault. ERROR: this host is at fault."""

    PASS = "pass"  # noqa: S105  a verdict, no password
    FAIL = "fail"
    SKIP = "skip"
    ERROR = "error"


class Skip(StrEnum):
    """Why a tier was skipped. NO_BASE: there is no release to upgrade from. BASE_BROKEN: that release does not work.

    NO_CHECK: nothing is declared that could prove the tier. DECLARED: the recipe's declaration leaves the tier out.
    NOT_ASKED: a person left the tier out of this trial.
    """

    NO_BASE = "no-base"
    BASE_BROKEN = "base-broken"
    NO_CHECK = "no-check"
    DECLARED = "declared"
    NOT_ASKED = "not-asked"


@frozen
class TierResult:
    """The verdict of one tier. `reason` is one sentence, "" if it passed. `seconds` is how long it took.

    `skip` says why it was skipped, None if it was not.
    """

    name: TierName
    verdict: Verdict
    reason: str = ""
    seconds: float = 0.0
    skip: Skip | None = None


@frozen
class Candidate:
    """The sealed snapshot in `folder` that may become the canonical.

    `lineage` are the releases that have run on its data, the oldest first.
    """

    folder: Path
    seal: Seal
    lineage: tuple[str, ...]


@frozen
class Trial:
    """A cold test of one recipe at one commit, and its results.

    `by_pass`: a pass chose the release. `slots_were_empty`: every slot was empty when it was opened. `altered` are
    tracked files that the apps changed. `tests` is the digest of all that the verdicts depend on, besides the release.
    `tests_unchanged`: the fleet folders were the same before and after the trial. `log` is the folder of its logs,
    relative to the state folder. `findings` are remarks without effect on the result. `timed_out`: the failure is a
    timeout. `damage` says why the canonical's snapshot could not be deployed, "" if it could or was not needed. `tail`
    has the last log lines of the failed app. `checks_data`: data.check failed on the fresh install, before data.mark;
    so if it succeeds later, this proves that data was kept. `is_check_slow`: it failed there so late that it may have
    failed for want of time. `peak` is what it took of the disk at most, None if that was not measured.
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


def failed_late(failed_after: float, passed_after: float) -> bool:
    """Whether a check may have failed only because it had too little time: it failed much later than it passed.

    `failed_after` and `passed_after` are in seconds. A check that waits until a time limit of its own fails only after
    that limit, but passes before it.
    """
    return failed_after > 1.5 * passed_after + 0.5


def is_complete(tiers: Iterable[TierResult]) -> bool:
    """Whether every tier was reached, and no person left one out of this trial."""
    reached = [tier.name for tier in tiers if tier.skip is not Skip.NOT_ASKED]
    return reached == list(TierName)


def is_green(tiers: Sequence[TierResult]) -> bool:
    """Whether every tier was reached, install passed, and every other tier passed or was skipped."""
    if [tier.name for tier in tiers] != list(TierName) or tiers[0].verdict is not Verdict.PASS:
        return False
    return all(tier.verdict in {Verdict.PASS, Verdict.SKIP} for tier in tiers)


def without_unproved_backup(tiers: Iterable[TierResult]) -> tuple[TierResult, ...]:
    """Return the tiers, with a passed backup as a skip if nothing is declared that could check the restore tier."""
    results = tuple(tiers)
    if not any((tier.name, tier.skip) == (TierName.RESTORE, Skip.NO_CHECK) for tier in results):
        return results
    return tuple(_skipped_backup(tier) if tier.name is TierName.BACKUP else tier for tier in results)


def _skipped_backup(backup: TierResult) -> TierResult:
    """Return the result of the backup tier as a skip if it passed, else unchanged."""
    if backup.verdict is not Verdict.PASS:
        return backup
    reason = "was taken, but restoring it proved nothing"
    return evolve(backup, verdict=Verdict.SKIP, reason=reason, skip=Skip.NO_CHECK)


def first_failure(tiers: Iterable[TierResult]) -> TierResult | None:
    """Return the first tier that failed or could not be judged; None if there is none."""
    return next((tier for tier in tiers if tier.verdict in {Verdict.FAIL, Verdict.ERROR}), None)


def level(tiers: Sequence[TierResult]) -> str:
    """Return how many tiers passed, out of those that apply, such as "3/4".

    All tiers apply, except those that the declaration leaves out, and an upgrade without a base.
    """
    passed = sum(tier.verdict is Verdict.PASS for tier in tiers)
    inapplicable = sum(tier.skip in {Skip.DECLARED, Skip.NO_BASE} for tier in tiers)
    return f"{passed}/{len(TierName) - inapplicable}"
