"""What was observed of one recipe, and what follows for its tags."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from attrs import evolve, frozen

from desired.model import Recipe, Unobservable, Want
from desired.versions import is_release_name
from desired.want import resolve_want
from state.records import Answer, Canonical, FoundDamage, Memory


class State(StrEnum):
    """Whether the canonical is there as recorded. NONE: nothing is recorded. UNKNOWN: it could not be checked.

    DOWN: its snapshot is intact, but its kept deployment is not up.
    """

    NONE = "none"
    INTACT = "intact"
    DAMAGED = "damaged"
    DOWN = "down"
    UNKNOWN = "unknown"


@frozen
class CanonicalStatus:
    """The state of a canonical; `reason` says how it is damaged, what of it is down, or why the state is unknown.

    `last_up` is only set for a deployment that is down: when a pass last saw all of it up, None if no pass ever did.
    """

    state: State
    reason: str = ""
    last_up: datetime | None = None


@frozen
class MirrorContents:
    """What our mirror holds: the commit of upstream's main branch, and the release tags with their commits.

    `tags` is None if there is no mirror or it cannot be read; `unreadable` says why it cannot be read, else "".
    """

    head: str = ""
    tags: Mapping[str, str] | None = None
    unreadable: str = ""


@frozen
class Observation:
    """All that was observed of one declared recipe. `memory` is as recorded before.

    `files` is the digest of its fleet folder and those of all that it needs, `tests` that of all that a verdict depends
    on. `tests_unreadable` says why these cannot be read, "" if they can. If they cannot, no release is tried.
    `older_intact` is the newest intact generation before a damaged canonical; None where there is none, or no damage.
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

    @property
    def newest_intact(self) -> Canonical | None:
        """The newest generation that is intact, with whose data an upgrade starts; None if there is none."""
        return self.canonical if self.status.state in {State.INTACT, State.DOWN} else self.older_intact


@frozen
class Orphan:
    """A canonical whose recipe is no longer declared."""

    canonical: Canonical
    status: CanonicalStatus


def damage_of(memory: Memory, generation: int) -> FoundDamage | None:
    """Return the damage of a generation that was found when it was used; None if none was."""
    found = (*([memory.damage] if memory.damage else ()), *memory.older_damage)
    return next((each for each in found if each.generation == generation), None)


def with_damage(memory: Memory, found: FoundDamage) -> Memory:
    """Return the memory with one more generation recorded as damaged."""
    before = (*([memory.damage] if memory.damage else ()), *memory.older_damage)
    older = tuple(each for each in before if each.generation != found.generation)
    return evolve(memory, damage=found, older_damage=older)


def upstream_tags(observation: Observation) -> Mapping[str, str | None] | None:
    """Return upstream's tags, each with its commit, or with None if it points to no commit.

    Returns None instead of tags if upstream could not be observed.
    """
    if isinstance(observation.answer, Unobservable):
        return None
    known_not = observation.memory.not_commits
    return {tag: None if known_not.get(tag) == commit else commit for tag, commit in observation.answer.tags.items()}


def remembered_tags(observation: Observation) -> Mapping[str, str]:
    """Return release tags with their commits: as first seen or accepted, else as recorded with the canonical."""
    have = observation.canonical
    recorded = {} if have is None else {have.version: have.commit}
    return recorded | {tag: known.commit for tag, known in observation.memory.known.items()}


def vanished_tags(observation: Observation) -> frozenset[str]:
    """Return the known release tags that upstream no longer has, or has on no commit."""
    tags = upstream_tags(observation)
    if tags is None:
        return frozenset()
    return frozenset(tag for tag in observation.memory.known if tags.get(tag) is None)


def want_of(observation: Observation) -> Want:
    """Return the release that the recipe should be at, or why there is none.

    Unobservable also if more than one known release tag, and more than a tenth of them, are gone upstream.
    """
    tags = upstream_tags(observation)
    if tags is None:
        assert isinstance(observation.answer, Unobservable)  # noqa: S101  None means that
        return observation.answer
    lost, known = len(vanished_tags(observation)), len(observation.memory.known)
    if lost > max(1, known // 10):
        hint = f"if that is right: reconcile accept {observation.recipe.name} --reason …"
        return Unobservable(f"shrunken: {lost} of {known} known release tags are gone upstream; {hint}")
    return resolve_want(tags, observation.recipe.allow)


def moved_tags(observation: Observation) -> Mapping[str, tuple[str, str]]:
    """Return the release tags that name another commit than the remembered one: tag to (remembered, now)."""
    tags = upstream_tags(observation) or {}
    remembered = remembered_tags(observation)
    return {
        tag: (remembered[tag], commit)
        for tag, commit in tags.items()
        if commit is not None and remembered.get(tag, commit) != commit
    }


def tags_to_mirror(observation: Observation) -> Mapping[str, str]:
    """Return the release tags that the mirror should hold: all remembered ones at their commits, and the new ones."""
    fresh = {
        tag: commit
        for tag, commit in (upstream_tags(observation) or {}).items()
        if commit is not None and is_release_name(tag)
    }
    return fresh | dict(remembered_tags(observation))
