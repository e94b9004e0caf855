"""Computes the expected finding of an observation from the raw answer and ranks, without the tested code."""

from attrs import astuple

from desired.releases import Unobservable
from reconciler.core.circumstances import PlanContext
from reconciler.core.findings import Cause
from reconciler.core.observation import Observation, State
from tests.strategies import ALLOWED, RANK


def published(observation: Observation) -> dict[str, str]:
    """Return the release tags that upstream has on a commit."""
    if isinstance(observation.answer, Unobservable):
        return {}
    blobs = observation.memory.not_commits
    return {
        tag: at
        for tag, at in observation.answer.tags.items()
        if tag in RANK and at is not None and not (tag in blobs and blobs[tag] == at)
    }


def newest(observation: Observation) -> dict[str, str]:
    """Return the newest allowed release tags. Several if they are equal in the order."""
    allowed = {tag: at for tag, at in published(observation).items() if RANK[tag] in ALLOWED[observation.recipe.allow]}
    top = max((RANK[tag] for tag in allowed), default=-1)
    return {tag: at for tag, at in allowed.items() if RANK[tag] == top}


def wanted(observation: Observation) -> tuple[str, str] | None:
    """Return the wanted release as (tag, commit), None if there is no single one."""
    top = newest(observation)
    if len(set(top.values())) != 1:
        return None
    return min(top.items(), key=lambda named: (named[0].startswith("v"), named[0]))


def remembered(observation: Observation) -> dict[str, str]:
    """Return the remembered commit of each release tag: from memory, else from the canonical's record."""
    have = observation.canonical
    places = {have.version: have.commit} if have is not None else {}
    for tag, known in observation.memory.known.items():
        places[tag] = known.commit
    return places


def mirrored(observation: Observation) -> dict[str, str]:
    """Return the tags of an up-to-date mirror."""
    return {**published(observation), **remembered(observation)}


def is_unseen(observation: Observation) -> bool:
    known = set(observation.memory.known)
    lost = known - set(published(observation))
    return isinstance(observation.answer, Unobservable) or len(lost) > max(1, len(known) / 10)


def is_moved(observation: Observation) -> bool:
    """Whether the wanted or the recorded tag names another commit than remembered."""
    want, have = wanted(observation), observation.canonical
    watched = [want[0]] if want else list(newest(observation))
    watched += [have.version] if have else []
    now, before = published(observation), remembered(observation)
    return any(tag in before and tag in now and now[tag] != before[tag] for tag in watched)


def is_ahead(observation: Observation) -> bool:
    """Whether the canonical is newer than all allowed releases, or upstream no longer has it under any equal tag."""
    have, now, top = observation.canonical, published(observation), newest(observation)
    if have is None:
        return False
    twins = {tag for tag in RANK if RANK[tag] == RANK[have.version] and now.get(tag) == have.commit}
    gone = have.version not in now and not twins
    return gone or not top or RANK[have.version] > RANK[min(top)]


def cause(observation: Observation) -> Cause:
    have, want = observation.canonical, wanted(observation)
    graver = {Cause.UNOBSERVABLE: is_unseen, Cause.MOVED: is_moved, Cause.AHEAD: is_ahead}
    for each, holds in graver.items():
        if holds(observation):
            return each
    if not newest(observation):
        return Cause.NEVER_RELEASED
    if want is None:
        return Cause.AMBIGUOUS
    if have is None:
        return Cause.FIRST_RELEASE
    same = RANK[have.version] == RANK[want[0]] and have.commit == want[1]
    return Cause.IN_SYNC if same else Cause.NEW_RELEASE


def is_held(observation: Observation, around: PlanContext) -> bool:
    """Whether a person put the recipe on hold, and the day of its end has not begun."""
    hold = observation.hold
    return hold is not None and (hold.until is None or around.today < hold.until)


def is_too_young(observation: Observation) -> bool:
    """Whether no release is old enough: in the strategies, a minimum age is longer than any release is known."""
    return bool(observation.recipe.minimum_age)


def is_refused(observation: Observation) -> bool:
    """Whether the release to try is unsigned: in the strategies, a recipe that needs signatures has no good one."""
    now = cause(observation)
    is_retest = now is Cause.IN_SYNC and observation.status.state is State.DAMAGED
    return observation.recipe.signed and (now in {Cause.FIRST_RELEASE, Cause.NEW_RELEASE} or is_retest)


def holds_red(observation: Observation, around: PlanContext) -> bool:
    """Whether the release to try was red at the same commit, with equal tests, Canon and place."""
    want, now = wanted(observation), cause(observation)
    due = want if now in {Cause.FIRST_RELEASE, Cause.NEW_RELEASE} else None
    if now is Cause.IN_SYNC and observation.status.state is State.DAMAGED:
        due = want
    if due is None or observation.recipe.name in around.retry:
        return False
    here = (observation.tests, around.canon, around.place.digest, around.place.versions_digest)
    return any(
        RANK[tag] == RANK[due[0]] and astuple(red.circumstances) == (due[1], *here)
        for tag, red in observation.memory.reds.items()
    )
