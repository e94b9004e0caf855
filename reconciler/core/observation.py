"""What was seen of one recipe, and what of it can be believed."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from attrs import evolve, frozen

from desired.model import Recipe, Unobservable, Want
from desired.versions import is_release_name
from desired.want import resolve_want
from state.records import Answer, Canonical, FoundDamage, Memory


class State(StrEnum):
    """Whether the canonical is really there."""

    NONE = "none"
    INTACT = "intact"
    DAMAGED = "damaged"
    DOWN = "down"
    UNKNOWN = "unknown"


@frozen
class CanonicalStatus:
    """The canonical as seen; `reason` says how it is damaged, what is down of it, or why it cannot be known.

    `last_up` is when a pass last saw all of one that is down; None where none ever did.
    """

    state: State
    reason: str = ""
    last_up: datetime | None = None


@frozen
class MirrorContents:
    """What our mirror holds, in full commits; `tags` is None where there is no mirror."""

    head: str = ""
    tags: Mapping[str, str] | None = None
    unreadable: str = ""


@frozen
class Observation:
    """All that was seen of one declared recipe. `memory` is as before this look.

    `files` digests its folder and those of all that it needs, `tests` all that a verdict on it rests on.
    `tests_unreadable` says why that could not be read, "" where it could; nothing can be tried then.
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
        """The newest intact generation, whose data an upgrade starts from; None where there is none."""
        return self.canonical if self.status.state in {State.INTACT, State.DOWN} else self.older_intact


@frozen
class Orphan:
    """A canonical whose recipe is no longer declared."""

    canonical: Canonical
    status: CanonicalStatus


def damage_of(memory: Memory, generation: int) -> FoundDamage | None:
    """The damage of a generation that was found in using it."""
    found = (*([memory.damage] if memory.damage else ()), *memory.older_damage)
    return next((each for each in found if each.generation == generation), None)


def with_damage(memory: Memory, found: FoundDamage) -> Memory:
    """The memory with one more generation known to be damaged."""
    before = (*([memory.damage] if memory.damage else ()), *memory.older_damage)
    older = tuple(each for each in before if each.generation != found.generation)
    return evolve(memory, damage=found, older_damage=older)


def upstream_tags(observation: Observation) -> Mapping[str, str | None] | None:
    """Upstream's tags, those that peel to no commit as None; None where upstream could not be seen."""
    if isinstance(observation.answer, Unobservable):
        return None
    known_not = observation.memory.not_commits
    return {tag: None if known_not.get(tag) == commit else commit for tag, commit in observation.answer.tags.items()}


def remembered_tags(observation: Observation) -> Mapping[str, str]:
    """Release tags to the commit we know them by: as first seen or accepted, else as the canonical records it."""
    have = observation.canonical
    recorded = {} if have is None else {have.version: have.commit}
    return recorded | {tag: known.commit for tag, known in observation.memory.known.items()}


def vanished_tags(observation: Observation) -> frozenset[str]:
    """Known release tags that upstream's answer lacks, or has on what is no commit."""
    tags = upstream_tags(observation)
    if tags is None:
        return frozenset()
    return frozenset(tag for tag in observation.memory.known if tags.get(tag) is None)


def want_of(observation: Observation) -> Want:
    """The release this recipe should be at, as far as upstream's answer can be believed."""
    tags = upstream_tags(observation)
    if tags is None:
        assert isinstance(observation.answer, Unobservable)  # noqa: S101  told by upstream_tags
        return observation.answer
    lost, known = len(vanished_tags(observation)), len(observation.memory.known)
    if lost > max(1, known // 10):
        hint = f"if that is right: reconcile accept {observation.recipe.name} --reason …"
        return Unobservable(f"shrunken: {lost} of {known} known release tags are gone upstream; {hint}")
    return resolve_want(tags, observation.recipe.allow)


def moved_tags(observation: Observation) -> Mapping[str, tuple[str, str]]:
    """Release tags that name another commit than the remembered one: tag to (remembered, now)."""
    tags = upstream_tags(observation) or {}
    remembered = remembered_tags(observation)
    return {
        tag: (remembered[tag], commit)
        for tag, commit in tags.items()
        if commit is not None and remembered.get(tag, commit) != commit
    }


def tags_to_mirror(observation: Observation) -> Mapping[str, str]:
    """The release tags the mirror should hold: all ever known as remembered, and the new ones."""
    fresh = {
        tag: commit
        for tag, commit in (upstream_tags(observation) or {}).items()
        if commit is not None and is_release_name(tag)
    }
    return fresh | dict(remembered_tags(observation))
