"""Chooses the tone of a label on the page: a word that the style sheet turns into a colour."""

from collections.abc import Mapping
from typing import Final

from reconciler.core.findings import Cause
from reconciler.core.gate import ConditionStatus
from reconciler.core.observation import State
from reconciler.core.report import ReportBucket

GOOD: Final = "good"
BAD: Final = "bad"
WARN: Final = "warn"
DOING: Final = "doing"
FAINT: Final = "faint"

BUCKET_TONES: Final[Mapping[ReportBucket, str]] = {
    ReportBucket.INFRASTRUCTURE: BAD,
    ReportBucket.UNOBSERVABLE: BAD,
    ReportBucket.NEEDS_PERSON: WARN,
    ReportBucket.DAMAGED: BAD,
    ReportBucket.TO_PROMOTE: DOING,
    ReportBucket.HELD: FAINT,
    ReportBucket.NEVER_RELEASED: FAINT,
    ReportBucket.IN_SYNC: GOOD,
    ReportBucket.EXCEPTED: FAINT,
    ReportBucket.ORPHANED: WARN,
    ReportBucket.IGNORED: FAINT,
}
CAUSE_TONES: Final[Mapping[Cause, str]] = {
    Cause.IN_SYNC: FAINT,
    Cause.NEVER_RELEASED: FAINT,
    Cause.FIRST_RELEASE: DOING,
    Cause.NEW_RELEASE: DOING,
    Cause.UNOBSERVABLE: BAD,
}
STATE_TONES: Final[Mapping[State, str]] = {
    State.NONE: FAINT,
    State.INTACT: FAINT,
    State.DAMAGED: BAD,
    State.DOWN: BAD,
    State.UNKNOWN: BAD,
}
STATUS_TONES: Final[Mapping[ConditionStatus, str]] = {
    ConditionStatus.PASS: "",
    ConditionStatus.FAIL: "t-bad",
    ConditionStatus.OPEN: "",
}
"""The CSS class for the status of a condition, "" for none: most conditions do not fail, so the page gets smaller."""
VERDICT_TONES: Final[Mapping[str, str]] = {"pass": GOOD, "fail": BAD, "error": WARN, "skip": FAINT}
RESULT_TONES: Final[Mapping[str, str]] = {
    "promoted": GOOD,
    "repaired": GOOD,
    "red": BAD,
    "green-not-promoted": WARN,
    "infrastructure": WARN,
    "not-tried": FAINT,
}
"""The tone of each result of a trial. A trial by hand, which is not here, is FAINT."""
