"""How a recipe differs from what it should be, where each difference comes from, and since when it exists."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from attrs import field, frozen

from desired.drift_ignore import DriftIgnore
from reconciler.core.findings import Cause, Finding, MirrorState
from reconciler.core.observation import State
from state.drift_record import DriftRecord


class DriftSide(StrEnum):
    """Where a difference comes from.

    * DESIRED: the declaration, or upstream's tags.
    * ACTUAL: what is on this host.
    * UNSEEN: one of these two could not be observed.
    """

    DESIRED = "desired"
    ACTUAL = "actual"
    UNSEEN = "unseen"


@frozen
class Difference:
    """A difference between a recipe and what it should be.

    * `side`: where the difference comes from: from what should be, such as a new tag upstream, from what is on this
      host, such as a damaged snapshot, or from one of the two that could not be observed.
    * `what`: its short name, such as "mirror-missing".
    * `reason`: a sentence about it.
    """

    side: DriftSide
    what: str
    reason: str


MIRROR_BEHIND: Final = "mirror-behind"
MIRROR_MISSING: Final = "mirror-missing"
MIRROR_UNREADABLE: Final = "mirror-unreadable"
STATE_UNKNOWN: Final = "state-unknown"

_DESIRED: Final = frozenset(
    {Cause.FIRST_RELEASE, Cause.NEW_RELEASE, Cause.AMBIGUOUS, Cause.AHEAD, Cause.MOVED, Cause.ORPHANED}
)
SIDES: Final[Mapping[str, DriftSide]] = {
    **dict.fromkeys(map(str, _DESIRED), DriftSide.DESIRED),
    MIRROR_BEHIND: DriftSide.DESIRED,
    State.DAMAGED.value: DriftSide.ACTUAL,
    State.DOWN.value: DriftSide.ACTUAL,
    MIRROR_MISSING: DriftSide.ACTUAL,
    MIRROR_UNREADABLE: DriftSide.ACTUAL,
    Cause.UNOBSERVABLE.value: DriftSide.UNSEEN,
    STATE_UNKNOWN: DriftSide.UNSEEN,
}
"""The side of each difference, by the difference's short name."""


def differences(finding: Finding) -> tuple[Difference, ...]:
    """Return all differences between a recipe and what it should be; () if there are none.

    The order is: the difference from the wanted release, then what is wrong with the canonical on this host, then with
    our mirror of upstream. The result is not grouped by `Difference.side`, which says where a difference comes from.
    """
    found = (*_of_cause(finding), *_of_state(finding), *_of_mirror(finding))
    return tuple(Difference(SIDES[what], what, reason) for what, reason in found)


def _of_cause(finding: Finding) -> Iterator[tuple[str, str]]:
    if finding.cause in _DESIRED or finding.cause is Cause.UNOBSERVABLE:
        yield finding.cause.value, finding.reason


def _of_state(finding: Finding) -> Iterator[tuple[str, str]]:
    state, reason = finding.status.state, finding.status.reason
    if state in {State.DAMAGED, State.DOWN}:
        yield state.value, reason
    if state is State.UNKNOWN:
        yield STATE_UNKNOWN, reason


def _of_mirror(finding: Finding) -> Iterator[tuple[str, str]]:
    """Yield how our mirror differs from upstream, as a word and a sentence. Yield nothing if it does not differ.

    If the recipe has no canonical, a mirror that was never fetched is no difference.
    """
    if finding.unreadable:
        yield MIRROR_UNREADABLE, finding.unreadable
    elif finding.mirror is MirrorState.MISSING and finding.have is not None:
        yield MIRROR_MISSING, "our copy of upstream is gone"
    elif finding.mirror is MirrorState.BEHIND:
        yield MIRROR_BEHIND, "upstream has something that our copy lacks"


@frozen
class DriftItem:
    """One difference of a recipe.

    * `since`: when a pass first saw the difference; None if no pass did.
    * `ignored`: True if the recipe's `[drift]` says to ignore it now.
    """

    difference: Difference
    since: datetime | None
    ignored: bool = False


@frozen
class RecipeDrift:
    """How one recipe differs from what it should be.

    * `items`: its differences.
    * `is_ignored`: True if the recipe counts as ignored, because all its differences are ignored.
    * `last_seen`: when a pass last saw the upstream; None if upstream is seen now, or if no pass ever saw it.
    * `rule_ended`: True if `rule` names a difference that exists, but the day in `rule` has passed.
    * `unused`: the words in `rule` for which there is no difference.
    * `rule`: the recipe's declared `[drift]`: the differences to ignore, and until which day.
    """

    items: tuple[DriftItem, ...] = ()
    is_ignored: bool = False
    last_seen: datetime | None = None
    rule_ended: bool = False
    unused: tuple[str, ...] = ()
    rule: DriftIgnore = field(factory=DriftIgnore)


NO_DRIFT: Final = RecipeDrift()


def drift_items(
    finding: Finding, record: DriftRecord | None, ignore: DriftIgnore, today: date
) -> tuple[DriftItem, ...]:
    """Return all differences of a recipe, each with the time since when it exists.

    * `record`: what the last pass recorded, with the times; None if it recorded nothing: then no time is known.
    * `ignore`: the recipe's declared `[drift]`. The differences that it names are returned as ignored until its day has
      come.
    * `today`: the day in UTC.
    """
    since = record.since if record is not None else {}
    words = ignore.ignore if ignore.until is not None and today < ignore.until else ()
    return tuple(DriftItem(each, since.get(each.what), each.what in words) for each in differences(finding))


@frozen
class DriftChange:
    """How the differences of a recipe have changed since the last pass.

    * `record`: what to record now.
    * `began`: the new differences, each with its reason.
    * `ended`: the differences that are gone.
    """

    record: DriftRecord
    began: Mapping[str, str]
    ended: tuple[str, ...]


def drift_changes(
    findings: Iterable[Finding], before: Mapping[str, DriftRecord], now: datetime
) -> tuple[DriftChange, ...]:
    """Return a change for each recipe that has a new difference, or a recorded difference that has ended.

    `before` has the records of the last pass, by recipe. `now` is recorded as the time at which a new difference began.
    A difference that could not be checked does not count as ended.
    """
    changes = (_change(finding, before.get(finding.recipe), now) for finding in findings)
    return tuple(change for change in changes if change.began or change.ended)


def _change(finding: Finding, before: DriftRecord | None, now: datetime) -> DriftChange:
    found = {each.what: each.reason for each in differences(finding)}
    known = before.since if before is not None else {}
    unseen = {
        DriftSide.DESIRED: finding.cause is Cause.UNOBSERVABLE,
        DriftSide.ACTUAL: finding.status.state is State.UNKNOWN,
    }
    kept = {what: since for what, since in known.items() if what in found or unseen.get(SIDES[what], False)}
    began = {what: reason for what, reason in found.items() if what not in known}
    since = {**kept, **dict.fromkeys(began, now)}
    return DriftChange(DriftRecord(finding.recipe, since), began, tuple(sorted(known.keys() - since.keys())))


def without_findings(findings: Iterable[Finding], before: Mapping[str, DriftRecord]) -> tuple[DriftChange, ...]:
    """Return a change for each recipe in `before` that has no finding now: all its recorded differences have ended.

    `before` has the records of the last pass, by recipe.
    """
    seen = {finding.recipe for finding in findings}
    gone = (record for name, record in before.items() if name not in seen)
    return tuple(DriftChange(DriftRecord(record.recipe, {}), {}, tuple(sorted(record.since))) for record in gone)
