"""What was observed of one recipe, and what this says of its tags and of the release that it should have."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from attrs import evolve, frozen

from desired.model import Recipe, Release, Unobservable, Want
from desired.versions import is_release_name, version_key
from desired.want import releases, resolve_want
from state.decisions import Hold, Rollback
from state.records import Answer, Canonical, FoundDamage, Memory


class State(StrEnum):
    """The state of a recipe's canonical.

    NONE: no canonical is recorded. INTACT: its snapshot is as it was sealed, and its kept deployment, if it has one, is
    up. DAMAGED: its snapshot is not as sealed, or could not be deployed. DOWN: its snapshot is intact, but its kept
    deployment is not up. UNKNOWN: it could not be checked.
    """

    NONE = "none"
    INTACT = "intact"
    DAMAGED = "damaged"
    DOWN = "down"
    UNKNOWN = "unknown"


@frozen
class CanonicalStatus:
    """The state of a canonical; `reason` says how it is damaged, what of it is down, or why the state is unknown.

    `last_up` is set only if its kept deployment is down: the time when a pass last saw it up, None if none ever did.
    """

    state: State
    reason: str = ""
    last_up: datetime | None = None


@frozen
class MirrorContents:
    """What our mirror holds: the commit of upstream's main branch, and the release tags with their commits.

    `tags` is None if there is no mirror, or if it cannot be read. `unreadable` says why it cannot be read, "" if it can
    or there is none.
    """

    head: str = ""
    tags: Mapping[str, str] | None = None
    unreadable: str = ""


@frozen
class Observation:
    """All that was observed of one declared recipe. `memory` is its memory from before the observation.

    `files` is the digest of the fleet folders of the recipe and of its needs. `tests` is the digest of all that a
    verdict depends on, besides the release. `tests_unreadable` says why these cannot be read, "" if they can; if they
    cannot, no release is tried. `missing_tools` are required programs that this host lacks. `older_intact` is the
    newest intact generation older than a damaged canonical, None if there is none or the canonical is not damaged.
    `hold` and `rollback` are the recorded decisions of a person, even if they have no effect now.
    """

    recipe: Recipe
    answer: Answer | Unobservable
    memory: Memory
    canonical: Canonical | None
    status: CanonicalStatus
    mirror: MirrorContents
    files: str
    tests: str
    observed_at: datetime
    missing_tools: tuple[str, ...] = ()
    tests_unreadable: str = ""
    older_intact: Canonical | None = None
    hold: Hold | None = None
    rollback: Rollback | None = None

    @property
    def newest_intact(self) -> Canonical | None:
        """The newest generation whose snapshot is intact; None if there is none. An upgrade starts with its data."""
        return self.canonical if self.status.state in {State.INTACT, State.DOWN} else self.older_intact


@frozen
class Orphan:
    """A canonical whose recipe is no longer declared."""

    canonical: Canonical
    status: CanonicalStatus


def damage_of(memory: Memory, generation: int) -> FoundDamage | None:
    """Return the damage of a generation that showed when it was deployed, None if there is none in the memory."""
    return next((damage for damage in _all_damage(memory) if damage.generation == generation), None)


def with_damage(memory: Memory, damage: FoundDamage) -> Memory:
    """Return the memory with this damage added. Replace earlier damage of the same generation."""
    others = tuple(other for other in _all_damage(memory) if other.generation != damage.generation)
    return evolve(memory, damage=damage, older_damage=others)


def _all_damage(memory: Memory) -> tuple[FoundDamage, ...]:
    return (*([memory.damage] if memory.damage else ()), *memory.older_damage)


def upstream_tags(observation: Observation) -> Mapping[str, str | None] | None:
    """Return upstream's tags, each with its commit, or with None if the tag names no commit.

    Return None instead of a mapping if upstream could not be observed.
    """
    if isinstance(observation.answer, Unobservable):
        return None
    not_commits = observation.memory.not_commits
    return {tag: None if not_commits.get(tag) == named else named for tag, named in observation.answer.tags.items()}


def remembered_tags(observation: Observation) -> Mapping[str, str]:
    """Return the known release tags, each with the commit that it had when it was first seen or was accepted.

    The canonical's tag is included, even if it is not known.
    """
    have = observation.canonical
    recorded = {} if have is None else {have.version: have.commit}
    return recorded | {tag: known.commit for tag, known in observation.memory.known.items()}


def vanished_tags(observation: Observation) -> frozenset[str]:
    """Return the known release tags that upstream no longer has, or that name no commit any more."""
    tags = upstream_tags(observation)
    if tags is None:
        return frozenset()
    return frozenset(tag for tag in observation.memory.known if tags.get(tag) is None)


def want_of(observation: Observation) -> Want:
    """Return the release that the recipe should have, or why there is none.

    If too many known release tags are gone upstream, return Unobservable. Too many are two or more that are also more
    than a tenth. If the newest release is too young, return the newest one that is old enough and newer than the
    canonical; if there is none, the newest.
    """
    tags = upstream_tags(observation)
    if tags is None:
        assert isinstance(observation.answer, Unobservable)  # noqa: S101  None means that
        return observation.answer
    if is_shrunken(observation):
        lost, known = len(vanished_tags(observation)), len(observation.memory.known)
        hint = f"if that is right: reconcile accept {observation.recipe.name} --reason …"
        return Unobservable(f"shrunken: {lost} of {known} known release tags are gone upstream; {hint}")
    newest = resolve_want(tags, observation.recipe.allow)
    if not isinstance(newest, Release) or too_young_until(observation, newest) is None:
        return newest
    return _newest_old_enough(observation, tags) or newest


def _newest_old_enough(observation: Observation, tags: Mapping[str, str | None]) -> Release | None:
    """Return the newest release that is old enough and newer than the canonical; None if there is none."""
    have = observation.canonical
    published = releases(tags, observation.recipe.allow)
    newer = [each for each in published if have is None or version_key(each.version) > version_key(have.version)]
    return next((each for each in reversed(newer) if too_young_until(observation, each) is None), None)


def first_seen(observation: Observation, release: Release) -> datetime:
    """Return when a pass first saw the release, by any tag of its version, on this commit.

    This is now if no pass did. After a moved tag was accepted, the release begins anew.
    """
    key = version_key(release.version)
    known = [
        known.first_seen
        for tag, known in observation.memory.known.items()
        if known.commit == release.commit and version_key(tag) == key
    ]
    return min(known, default=observation.observed_at)


def too_young_until(observation: Observation, release: Release) -> datetime | None:
    """Return when the release is as old as the declaration asks, counted since a pass first saw it.

    Return None if it is old enough.
    """
    age = observation.recipe.minimum_age
    until = first_seen(observation, release) + age
    return until if age and until > observation.observed_at else None


def is_shrunken(observation: Observation) -> bool:
    """Whether upstream lost too many of the known release tags: two or more that are also more than a tenth."""
    return len(vanished_tags(observation)) > max(1, len(observation.memory.known) // 10)


def moved_tags(observation: Observation) -> Mapping[str, tuple[str, str]]:
    """Return the release tags that name another commit than before, each with the remembered and the new commit."""
    tags = upstream_tags(observation) or {}
    remembered = remembered_tags(observation)
    return {
        tag: (remembered[tag], commit)
        for tag, commit in tags.items()
        if commit is not None and remembered.get(tag, commit) != commit
    }


def tags_to_mirror(observation: Observation) -> Mapping[str, str]:
    """Return the release tags that the mirror should hold, with their commits: the remembered ones, and new ones."""
    fresh = {
        tag: commit
        for tag, commit in (upstream_tags(observation) or {}).items()
        if commit is not None and is_release_name(tag)
    }
    return fresh | dict(remembered_tags(observation))


def is_still_tagged(have: Canonical, observation: Observation) -> bool:
    """Whether upstream still has the canonical's tag on the same commit. Without that, the gate refuses a promotion."""
    return (upstream_tags(observation) or {}).get(have.version) == have.commit
