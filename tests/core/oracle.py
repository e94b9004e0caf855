"""What the rules say of one sight, told from the raw answer by a list of ranks and by nothing the code computed."""

from attrs import astuple

from desired.model import Unobservable
from reconciler.core.findings import Cause
from reconciler.core.observation import Observation, State
from reconciler.core.plan import Surroundings
from tests.strategies import ALLOWED, RANK


def published(sight: Observation) -> dict[str, str]:
    """Release tags that upstream has on a commit."""
    if isinstance(sight.answer, Unobservable):
        return {}
    blobs = sight.memory.not_commits
    return {
        tag: at
        for tag, at in sight.answer.tags.items()
        if tag in RANK and at is not None and not (tag in blobs and blobs[tag] == at)
    }


def newest(sight: Observation) -> dict[str, str]:
    """The allowed release tags that no other is newer than; several if they are equal in the order."""
    allowed = {tag: at for tag, at in published(sight).items() if RANK[tag] in ALLOWED[sight.recipe.allow]}
    top = max((RANK[tag] for tag in allowed), default=-1)
    return {tag: at for tag, at in allowed.items() if RANK[tag] == top}


def wanted(sight: Observation) -> tuple[str, str] | None:
    """The one release to be at: the name without a `v` first, then the first in text order."""
    top = newest(sight)
    if len(set(top.values())) != 1:
        return None
    return min(top.items(), key=lambda named: (named[0].startswith("v"), named[0]))


def remembered(sight: Observation) -> dict[str, str]:
    """Where we know each release tag to be: the canonical's by its record, unless a person accepted another place."""
    have = sight.canonical
    places = {have.version: have.commit} if have is not None else {}
    for tag, known in sight.memory.known.items():
        places[tag] = known.commit
    return places


def mirrored(sight: Observation) -> dict[str, str]:
    """What a mirror that is up to date holds."""
    return {**published(sight), **remembered(sight)}


def is_unseen(sight: Observation) -> bool:
    known = set(sight.memory.known)
    lost = known - set(published(sight))
    return isinstance(sight.answer, Unobservable) or len(lost) > max(1, len(known) / 10)


def is_moved(sight: Observation) -> bool:
    """A tag that is want or have names another commit than the one we remember."""
    want, have = wanted(sight), sight.canonical
    watched = [want[0]] if want else list(newest(sight))
    watched += [have.version] if have else []
    now, before = published(sight), remembered(sight)
    return any(tag in before and tag in now and now[tag] != before[tag] for tag in watched)


def is_ahead(sight: Observation) -> bool:
    """Newer than all that is allowed, or gone upstream: neither its own tag nor a twin on its commit is there."""
    have, now, top = sight.canonical, published(sight), newest(sight)
    if have is None:
        return False
    twins = {tag for tag in RANK if RANK[tag] == RANK[have.version] and now.get(tag) == have.commit}
    gone = have.version not in now and not twins
    return gone or not top or RANK[have.version] > RANK[min(top)]


def cause(sight: Observation) -> Cause:
    have, want = sight.canonical, wanted(sight)
    graver = {Cause.UNOBSERVABLE: is_unseen, Cause.MOVED: is_moved, Cause.AHEAD: is_ahead}
    for each, holds in graver.items():
        if holds(sight):
            return each
    if not newest(sight):
        return Cause.NEVER_RELEASED
    if want is None:
        return Cause.AMBIGUOUS
    if have is None:
        return Cause.FIRST_RELEASE
    same = RANK[have.version] == RANK[want[0]] and have.commit == want[1]
    return Cause.IN_SYNC if same else Cause.NEW_RELEASE


def holds_red(sight: Observation, around: Surroundings) -> bool:
    """Whether what would be tried next was red at the same commit, with equal tests, Canon and place."""
    want, now = wanted(sight), cause(sight)
    due = want if now in {Cause.FIRST_RELEASE, Cause.NEW_RELEASE} else None
    if now is Cause.IN_SYNC and sight.look.state is State.DAMAGED:
        due = want
    if due is None or sight.recipe.name in around.retry:
        return False
    here = (sight.tests, around.canon, around.place.digest, around.place.versions_digest)
    return any(
        RANK[tag] == RANK[due[0]] and astuple(red.circumstances) == (due[1], *here)
        for tag, red in sight.memory.reds.items()
    )
