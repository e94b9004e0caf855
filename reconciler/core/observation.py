"""What was observed of one recipe, and what this says of its tags and of the release that it should have."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from attrs import evolve, field, frozen

from desired.model import Recipe, Signature, Unobservable
from desired.versions import is_release_name
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
    `hold` and `rollback` are the recorded decisions of a person, even if they have no effect now. `signatures` has the
    checked signatures of release tags, by tag; a tag that our mirror lacks is not in it.
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
    signatures: Mapping[str, Signature] = field(factory=dict)

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
    """Return the known release tags that upstream no longer has, or that name no commit any more.

    Return an empty set if upstream could not be observed.
    """
    tags = upstream_tags(observation)
    if tags is None:
        return frozenset()
    return frozenset(tag for tag in observation.memory.known if tags.get(tag) is None)


def is_shrunken(observation: Observation) -> bool:
    """Whether upstream lost too many of the known release tags: two or more that are also more than a tenth.

    False if upstream could not be observed.
    """
    return len(vanished_tags(observation)) > max(1, len(observation.memory.known) // 10)


def moved_tags(observation: Observation) -> Mapping[str, tuple[str, str]]:
    """Return the release tags that name another commit than before, each with the remembered and the new commit.

    The result is empty if upstream could not be observed.
    """
    tags = upstream_tags(observation) or {}
    remembered = remembered_tags(observation)
    return {
        tag: (remembered[tag], commit)
        for tag, commit in tags.items()
        if commit is not None and remembered.get(tag, commit) != commit
    }


def tags_to_mirror(observation: Observation) -> Mapping[str, str]:
    """Return the release tags that the mirror should hold, with their commits: the remembered ones, and new ones.

    A tag that was moved upstream has its remembered commit.
    """
    fresh = {
        tag: commit
        for tag, commit in (upstream_tags(observation) or {}).items()
        if commit is not None and is_release_name(tag)
    }
    return fresh | dict(remembered_tags(observation))


def is_still_tagged(have: Canonical, observation: Observation) -> bool:
    """Whether upstream still has the canonical's tag on the same commit. If not, no promotion of it is allowed."""
    return (upstream_tags(observation) or {}).get(have.version) == have.commit
