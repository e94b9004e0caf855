"""Explains one recipe: what keeps it as it is, what would change that, and what happens next."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from attrs import frozen

from desired.releases import Release, Unobservable
from reconciler.core.base import Base
from reconciler.core.blocker import Actor, Blocker, Change
from reconciler.core.blockers import blockers_of
from reconciler.core.case import Case
from reconciler.core.closed_gates import with_gates
from reconciler.core.events import Event
from reconciler.core.evidence_gate import evidence_gate, recorded_ways_in
from reconciler.core.findings import Cause
from reconciler.core.gate import Condition
from reconciler.core.known_ways import ways_of
from reconciler.core.moved_by import moved_by
from reconciler.core.observation import State, upstream_tags
from reconciler.core.plan import Action, HeldBack, Step
from reconciler.core.policies import policies_of
from reconciler.core.trial_base import base_for
from reconciler.core.unread_tags import UnreadTag, tags_not_read
from reconciler.core.ways import RecordedWay
from state.drift_record import DriftRecord


class Family(StrEnum):
    """What a reader of an explanation has to do about the recipe."""

    NOTHING = "nothing to do"
    WAITS = "waits by itself"
    NEEDS_YOU = "needs you"


@frozen
class Freshness:
    """How old the facts about upstream are.

    * `asked`: True if upstream was asked just now, and answered. If False, the facts come from an earlier pass.
    * `seen_at`: when upstream was last seen; None if never.
    * `same_since`: when upstream first gave the answer that it gives now; None if no pass has recorded that.
    """

    asked: bool
    seen_at: datetime | None
    same_since: datetime | None


@frozen
class Explanation:
    """All that explains one recipe.

    * `family`: what a reader has to do about the recipe.
    * `verdict`: why the recipe is as it is, in one sentence.
    * `step`: what the plan does about the recipe.
    * `policies`: the conditions that are judged before a trial.
    * `conditions`: the conditions of the gate, which are judged after a trial.
    * `blockers`: what prevents the promotion of a release. All of them must be removed.
    * `moved_by`: changes after which the recipe would not stay in sync, such as a newer release upstream; () if the
      recipe is not in sync.
    * `next`: what the next pass does once no blocker is left; None for nothing.
    * `release`: the wanted release; if none is wanted, the canonical's; None if there is neither.
    * `base`: the release from which the upgrade to the wanted release would start; None if no release is wanted, or if
      nothing is left to do.
    * `history`: the events of `release`.
    * `not_read`: the tags of upstream that are not considered when a release is chosen.
    * `drift`: the recorded differences of the recipe.
    * `freshness`: how old the facts about upstream are.
    * `by_record`: what the verdict would be by the last recorded answer of upstream; "" if upstream can be seen now.
    * `ways`: what is known of the ways that were tried of the canonical's release.
    """

    recipe: str
    family: Family
    verdict: str
    step: Step
    policies: tuple[Condition, ...]
    conditions: tuple[Condition, ...]
    blockers: tuple[Blocker, ...]
    moved_by: tuple[Change, ...]
    next: Change | None
    release: Release | None
    base: Base | None
    history: tuple[Event, ...]
    not_read: tuple[UnreadTag, ...]
    drift: DriftRecord
    freshness: Freshness
    by_record: str = ""
    ways: tuple[RecordedWay, ...] = ()


def explain(case: Case, events: Sequence[Event], drift: DriftRecord | None, freshness: Freshness) -> Explanation:
    """Return the explanation of one recipe.

    * `events`: the events of the recipe, the oldest first.
    * `drift`: the drift record of the recipe; None if there is none.
    * `freshness`: how old the facts about upstream are.

    The field `by_record` of the explanation is left empty.
    """
    blockers, release = with_gates(case, blockers_of(case), events), _release(case)
    is_settled = _is_settled(case, blockers)
    observed = case.observation
    return Explanation(
        recipe=case.step.recipe,
        family=family_of(case, blockers),
        verdict=_verdict(case),
        step=case.step,
        policies=policies_of(case),
        conditions=evidence_gate(case, events),
        blockers=blockers,
        moved_by=moved_by(case) if is_settled else (),
        next=_next(case, blockers),
        release=release,
        base=None if is_settled else _base(case),
        history=tuple(each for each in events if release is not None and each.version == release.version),
        not_read=tags_not_read(upstream_tags(observed) or {}, observed.recipe.allow) if observed is not None else (),
        drift=drift or DriftRecord(case.step.recipe, {}),
        freshness=freshness,
        ways=_ways(case, events),
    )


def _ways(case: Case, events: Sequence[Event]) -> tuple[RecordedWay, ...]:
    """Return what is known of the ways that were tried of the canonical's release; () if there is no canonical.

    `events` are the events of the recipe.
    """
    have = case.step.finding.have
    return ways_of(recorded_ways_in(events), have.version, have.commit) if have is not None else ()


def _verdict(case: Case) -> str:
    """Return the reason of the recipe's step. If upstream could not be seen, the text begins by saying so."""
    observed, reason = case.observation, case.step.reason
    if observed is None or not isinstance(observed.answer, Unobservable) or observed.status.state is State.UNKNOWN:
        return reason
    return f"upstream could not be seen: {reason}"


def family_of(case: Case, blockers: Sequence[Blocker]) -> Family:
    """Return what a reader has to do about the recipe.

    NEEDS_YOU if the step or a blocker needs a person. WAITS if a pass will do something by itself. Else NOTHING.
    """
    if case.step.needs_person or any(blocker.needs_person for blocker in blockers):
        return Family.NEEDS_YOU
    if case.step.held_back is HeldBack.EXCEPTED or _is_settled(case, blockers) or _is_held_for_good(case):
        return Family.NOTHING
    return Family.WAITS


def _is_held_for_good(case: Case) -> bool:
    """Return whether the recipe is on hold until a person resumes it."""
    status = case.step.hold
    return status is not None and status.hold is not None and status.hold.until is None


def _is_settled(case: Case, blockers: Sequence[Blocker]) -> bool:
    """Return whether the recipe is in sync, its step does nothing, and there are no `blockers`."""
    return case.step.finding.cause is Cause.IN_SYNC and case.step.action is Action.NONE and not blockers


def _release(case: Case) -> Release | None:
    """Return the release that the explanation is about: the wanted one or, if none is wanted, the canonical's.

    Return None if there is no canonical either.
    """
    finding = case.step.finding
    if isinstance(finding.want, Release):
        return finding.want
    return Release(finding.have.version, finding.have.commit) if finding.have is not None else None


def _base(case: Case) -> Base | None:
    """Return the base from which the upgrade to the wanted release would start; None if no single release is wanted."""
    observed, want = case.observation, case.step.finding.want
    return base_for(observed, want) if observed is not None and isinstance(want, Release) else None


def _next(case: Case, blockers: Sequence[Blocker]) -> Change | None:
    """Return what the next pass does once all blockers are removed, with the command that starts a pass on the recipe.

    Return None if the pass would do nothing.
    """
    step, now = case.step, f"reconcile -r {case.step.recipe}"
    if step.finding.cause is Cause.ORPHANED or _is_settled(case, blockers):
        return None
    match step.action:
        case Action.PROMOTE | Action.RETEST if step.release is not None:
            what = f"the next pass tries {step.release.version}, and promotes it if it is green"
        case Action.REFETCH:
            what = "the next pass fetches the mirror anew"
        case Action.REDEPLOY:
            what = "the next pass deploys the canonical again from its snapshot"
        case _:
            what = "the next pass looks again, and tries the release that is then wanted"
    return Change(what, Actor.PASS, now)
