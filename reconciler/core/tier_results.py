"""The results of a trial: a verdict for each tier, and what follows from them together."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from attrs import evolve, field, frozen

from desired.model import Release, TierName
from reconciler.core.base import Base
from state.records import Seal


class Verdict(StrEnum):
    """A tier's verdict. ERROR means that the host failed, not the recipe."""

    PASS = "pass"  # noqa: S105  a verdict, no password
    FAIL = "fail"
    SKIP = "skip"
    ERROR = "error"


class Skip(StrEnum):
    """Why a tier was skipped; there are no other reasons. DECLARED: the recipe's declaration leaves it out.

    NO_CHECK: nothing is declared that could prove the tier. NOT_ASKED: a person left it out of this trial.
    """

    NO_BASE = "no-base"
    BASE_BROKEN = "base-broken"
    NO_CHECK = "no-check"
    DECLARED = "declared"
    NOT_ASKED = "not-asked"


@frozen
class TierResult:
    """One tier's verdict. `skip` is set only if it was skipped. `reason` is one sentence, "" if it passed."""

    name: TierName
    verdict: Verdict
    reason: str = ""
    seconds: float = 0.0
    skip: Skip | None = None


@frozen
class Candidate:
    """The sealed snapshot that a promotion would make the canonical."""

    folder: Path
    seal: Seal
    lineage: tuple[str, ...]


@frozen
class Trial:
    """A cold test of one recipe at one commit, and its results.

    `by_pass`: a pass chose the release. `slots_were_empty`: every slot was empty when it was opened. `altered` names
    tracked files that changed. `tests` is the digest of all that the verdicts depend on beside the release.
    `tests_unchanged`: the fleet folder was the same before and after. `log` is a folder below the state folder.
    `findings` are remarks without effect on the result. `timed_out`: what failed may only have taken too long. `damage`
    says why our own snapshot could not be deployed, "" if it could or was not needed. `tail` holds the last lines of
    output of what failed. `checks_data`: a [data] check is declared that fails on a fresh install before data.mark, so
    its passes prove that data was kept.
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


def is_complete(tiers: Iterable[TierResult]) -> bool:
    """Whether every tier was reached, and none was left out by a person."""
    reached = [tier.name for tier in tiers if tier.skip is not Skip.NOT_ASKED]
    return reached == list(TierName)


def is_green(tiers: Sequence[TierResult]) -> bool:
    """Whether every tier was reached, install passed, and every other tier passed or was skipped."""
    if [tier.name for tier in tiers] != list(TierName) or tiers[0].verdict is not Verdict.PASS:
        return False
    return all(tier.verdict in {Verdict.PASS, Verdict.SKIP} for tier in tiers)


def without_unproved_backup(tiers: Iterable[TierResult]) -> tuple[TierResult, ...]:
    """Return the same tiers, but a backup that passed is a skip if restoring it could prove nothing."""
    found = tuple(tiers)
    if not any((tier.name, tier.skip) == (TierName.RESTORE, Skip.NO_CHECK) for tier in found):
        return found
    return tuple(_skipped_backup(tier) if tier.name is TierName.BACKUP else tier for tier in found)


def _skipped_backup(backup: TierResult) -> TierResult:
    if backup.verdict is not Verdict.PASS:
        return backup
    reason = "was taken, but bringing it back proved nothing"
    return evolve(backup, verdict=Verdict.SKIP, reason=reason, skip=Skip.NO_CHECK)


def first_failure(tiers: Iterable[TierResult]) -> TierResult | None:
    """Return the first tier that failed or could not be judged; None if there is none."""
    return next((tier for tier in tiers if tier.verdict in {Verdict.FAIL, Verdict.ERROR}), None)


def level(tiers: Sequence[TierResult]) -> str:
    """Return how many tiers passed, out of those that apply: "3/4".

    A tier that is skipped by its declaration or for want of a base does not apply. One without a check does apply, and
    so does one that was not reached.
    """
    passed = sum(tier.verdict is Verdict.PASS for tier in tiers)
    apart = sum(tier.skip in {Skip.DECLARED, Skip.NO_BASE} for tier in tiers)
    return f"{passed}/{len(TierName) - apart}"
