"""The words that a report prints, such as "in-sync", and what each of them means."""

from collections.abc import Mapping
from typing import Final

from reconciler.core.findings import Cause, MirrorState
from reconciler.core.gate import ConditionStatus
from reconciler.core.observation import State
from reconciler.core.outcome import Result
from reconciler.core.plan import Action, HeldBack
from reconciler.core.report import ReportBucket
from reconciler.core.tier_results import Skip, Verdict

CAUSES: Final[Mapping[Cause, str]] = {
    Cause.IN_SYNC: "the canonical is at the newest release",
    Cause.FIRST_RELEASE: "there is a release and no canonical yet",
    Cause.NEW_RELEASE: "upstream has released something newer than the canonical",
    Cause.NEVER_RELEASED: "upstream has no release that the declaration allows",
    Cause.AMBIGUOUS: "the newest version is named by tags on different commits",
    Cause.AHEAD: "the canonical is at something that upstream does not have, or no longer allows",
    Cause.MOVED: "a release tag names another commit than it did",
    Cause.ORPHANED: "there is a canonical, and its recipe is no longer declared",
    Cause.UNOBSERVABLE: "upstream could not be seen, so nothing is known",
}

STATES: Final[Mapping[State, str]] = {
    State.NONE: "there is no canonical",
    State.INTACT: "the snapshot on disk is the one that was recorded, and what is kept running of it is up",
    State.DAMAGED: "the snapshot on disk is not the one that was recorded",
    State.DOWN: "the snapshot is intact, and what is to be kept running of it is not as it was raised",
    State.UNKNOWN: "the snapshot, or what is kept running of it, could not be checked",
}
STATE_SENTENCES: Final[Mapping[State, str]] = {
    State.NONE: "no canonical",
    State.INTACT: "the canonical is intact",
    State.DAMAGED: "the canonical is damaged",
    State.DOWN: "the canonical's deployment is down",
    State.UNKNOWN: "the canonical cannot be checked",
}

MIRRORS: Final[Mapping[MirrorState, str]] = {
    MirrorState.EQUAL: "our copy holds what upstream has",
    MirrorState.BEHIND: "upstream has something that our copy lacks; a pass fetches it",
    MirrorState.MISSING: "there is no copy of upstream here",
    MirrorState.UNKNOWN: "our copy or upstream could not be checked",
}

_REPAIR: Final = "repair"
ACTION_WORDS: Final[Mapping[Action, str]] = {
    Action.NONE: "none",
    Action.PROMOTE: "promote",
    Action.RETEST: _REPAIR,
    Action.REFETCH: _REPAIR,
    Action.REDEPLOY: _REPAIR,
}
"""The word that a report prints for each action. Format 1 of the JSON documents fixes these words."""

ACTIONS: Final[Mapping[str, str]] = {
    "none": "nothing is done",
    "promote": "the wanted release is tried, and promoted if it is green",
    _REPAIR: "what is damaged, down or missing is repaired",
}

HOLDS: Final[Mapping[HeldBack, str]] = {
    HeldBack.HELD: "a person put it on hold, or rolled it back; nothing is tried until that ends",
    HeldBack.EXCEPTED: "not enrolled, for the reason that its declaration gives",
    HeldBack.RED_BEFORE: "this release was red, or green and not promoted, here before, and nothing has changed since",
    HeldBack.TOO_YOUNG: "the release is not known here for as long as its declaration asks",
    HeldBack.UNSIGNED: "no key of the fleet signed the release's tag",
    HeldBack.OVER_BUDGET: "the budget of the fleet leaves its trial to a later pass",
    HeldBack.QUARANTINED: "a tag moved; nothing is tried until a person accepts it",
}

RESULTS: Final[Mapping[Result, str]] = {
    Result.NONE: "nothing was to be done",
    Result.PROMOTED: "the release passed its trial and is the canonical now, read back",
    Result.REPAIRED: "the canonical, its deployment or its mirror is whole again, read back",
    Result.RED: "the release failed its trial",
    Result.GREEN_NOT_PROMOTED: "the release passed its trial and is not the canonical",
    Result.INFRASTRUCTURE: "a fault of this host; the recipe is not to blame",
    Result.NOT_TRIED: "it was not reached",
}

VERDICTS: Final[Mapping[Verdict, str]] = {
    Verdict.PASS: "passed",
    Verdict.FAIL: "failed",
    Verdict.SKIP: "was skipped",
    Verdict.ERROR: "could not be judged",
}

SKIPS: Final[Mapping[Skip, str]] = {
    Skip.NO_BASE: "there is no older release to start from",
    Skip.BASE_UNUSABLE: "the release to start from cannot be used",
    Skip.BASE_BROKEN: "the older release never came up, which says nothing of this one",
    Skip.NO_CHECK: "the recipe declares nothing that could be checked",
    Skip.DECLARED: "left out by its declaration",
    Skip.NOT_ASKED: "not asked for",
}

CONDITION_STATUSES: Final[Mapping[ConditionStatus, str]] = {
    ConditionStatus.PASS: "holds",
    ConditionStatus.FAIL: "does not hold",
    ConditionStatus.OPEN: "cannot be judged yet",
}

BUCKETS: Final[Mapping[ReportBucket, str]] = {
    ReportBucket.INFRASTRUCTURE: "infrastructure",
    ReportBucket.UNOBSERVABLE: "unobservable",
    ReportBucket.NEEDS_PERSON: "needs you",
    ReportBucket.DAMAGED: "damaged",
    ReportBucket.TO_PROMOTE: "to promote",
    ReportBucket.HELD: "held",
    ReportBucket.NEVER_RELEASED: "never released",
    ReportBucket.IN_SYNC: "in sync",
    ReportBucket.EXCEPTED: "excepted",
    ReportBucket.ORPHANED: "orphaned",
    ReportBucket.IGNORED: "ignored",
}
