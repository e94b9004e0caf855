"""What was observed of one recipe, and what follows from that about its tags."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from attrs import evolve, field, frozen

from desired.model import Recipe
from desired.releases import Signature, Unobservable
from desired.versions import is_release_name
from state.decisions import Hold, Rollback
from state.records import Answer, Canonical, FoundDamage, Memory


class State(StrEnum):
    """The state of a recipe's canonical.

    * NONE: no canonical is recorded.
    * INTACT: the snapshot matches its seal and, if the canonical is kept running, its deployment is up.
    * DAMAGED: the snapshot does not match its seal, or could not be deployed.
    * DOWN: the snapshot is intact, but the kept deployment is not up.
    * UNKNOWN: the canonical could not be checked.
    """

    NONE = "none"
    INTACT = "intact"
    DAMAGED = "damaged"
    DOWN = "down"
    UNKNOWN = "unknown"


@frozen
class CanonicalStatus:
    """The state of a canonical, and why.

    * `reason`: how the canonical is damaged, what of it is down, or what could not be read; "" if there is nothing to
      say.
    * `last_up`: when a pass last saw the kept deployment up, if the deployment is down now. None if the deployment is
      not down, or if no pass ever saw it up.
    """

    state: State
    reason: str = ""
    last_up: datetime | None = None


@frozen
class MirrorContents:
    """What our mirror of an upstream has.

    * `head`: the commit of upstream's main branch.
    * `tags`: the release tags with their commits; None if there is no mirror, or if it cannot be read.
    * `unreadable`: why the mirror cannot be read; "" if it can, or if there is none.
    """

    head: str = ""
    tags: Mapping[str, str] | None = None
    unreadable: str = ""


@frozen
class Observation:
    """All that was observed of one declared recipe.

    * `answer`: what upstream answered, or why it could not be observed.
    * `memory`: what earlier passes remembered of the recipe.
    * `canonical`: the recorded canonical; None if there is none.
    * `files`: the digest of the fleet folders of the recipe and of the recipes that it needs.
    * `test_files`: the digest of the same folders, without the files `recipe.toml`.
    * `tests`: the digest of all that a verdict depends on, besides the release, see `tests_digest`.
    * `missing_tools`: programs that the recipe requires, and this host lacks.
    * `tests_unreadable`: why the tests cannot be read, so that no release is tried; "" if they can.
    * `older_intact`: if the canonical is damaged: the intact generation from whose data the recipe goes on, see
      `generations_to_go_on_from`; None if there is none, or if the canonical is not damaged.
    * `hold`, `rollback`: the recorded decisions of a person, even if they have no effect now; None for none.
    * `signatures`: the checked signatures by release tag, of the tags that are in our mirror.
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
    test_files: str = ""
    missing_tools: tuple[str, ...] = ()
    tests_unreadable: str = ""
    older_intact: Canonical | None = None
    hold: Hold | None = None
    rollback: Rollback | None = None
    signatures: Mapping[str, Signature] = field(factory=dict)

    @property
    def newest_intact(self) -> Canonical | None:
        """Return the canonical if its snapshot is intact, else the intact generation in its place; None if none is.

        An upgrade starts with the data of this generation.
        """
        return self.canonical if self.status.state in {State.INTACT, State.DOWN} else self.older_intact


@frozen
class Orphan:
    """A canonical whose recipe is no longer declared, with the status of its snapshot."""

    canonical: Canonical
    status: CanonicalStatus


def damage_of(memory: Memory, generation: int) -> FoundDamage | None:
    """Return the damage that was found when the generation `generation` was deployed; None if the memory has none."""
    return next((damage for damage in _all_damage(memory) if damage.generation == generation), None)


def with_damage(memory: Memory, damage: FoundDamage) -> Memory:
    """Return the memory with `damage` added. Damage of the same generation that was found earlier is replaced."""
    others = tuple(other for other in _all_damage(memory) if other.generation != damage.generation)
    return evolve(memory, damage=damage, older_damage=others)


def _all_damage(memory: Memory) -> tuple[FoundDamage, ...]:
    return (*([memory.damage] if memory.damage else ()), *memory.older_damage)


def upstream_tags(observation: Observation) -> Mapping[str, str | None] | None:
    """Return upstream's tags, each with its commit; a tag that names no commit is mapped to None.

    Return None instead of a mapping if upstream could not be observed.
    """
    if isinstance(observation.answer, Unobservable):
        return None
    not_commits = observation.memory.not_commits
    if not not_commits:
        return observation.answer.tags
    return {tag: None if not_commits.get(tag) == named else named for tag, named in observation.answer.tags.items()}


def remembered_tags(observation: Observation) -> Mapping[str, str]:
    """Return the release tags that a pass has seen, each with the commit that it had when it was first seen.

    A moved tag that a person accepted has the accepted commit. The canonical's tag is always included.
    """
    have = observation.canonical
    recorded = {} if have is None else {have.version: have.commit}
    return recorded | {tag: known.commit for tag, known in observation.memory.known.items()}


def vanished_tags(observation: Observation) -> frozenset[str]:
    """Return the release tags that upstream had once, and that are now gone or name no commit.

    Return an empty set if upstream could not be observed.
    """
    tags = upstream_tags(observation)
    if tags is None:
        return frozenset()
    return frozenset(tag for tag in observation.memory.known if tags.get(tag) is None)


def is_shrunken(observation: Observation) -> bool:
    """Return whether upstream lost so many release tags that its answer is doubtful.

    The answer is doubtful if two or more tags are lost, and if the lost tags are more than a tenth of the known tags.
    Return False if upstream could not be observed.
    """
    return len(vanished_tags(observation)) > max(1, len(observation.memory.known) // 10)


def moved_tags(observation: Observation) -> Mapping[str, tuple[str, str]]:
    """Return the release tags that upstream moved, each with the remembered and the new commit.

    Return an empty mapping if upstream could not be observed.
    """
    tags = upstream_tags(observation) or {}
    remembered = remembered_tags(observation)
    return {
        tag: (remembered[tag], commit)
        for tag, commit in tags.items()
        if commit is not None and remembered.get(tag, commit) != commit
    }


def tags_to_mirror(observation: Observation) -> Mapping[str, str]:
    """Return the release tags that our mirror should have, with their commits: all that are remembered, and new ones.

    A tag that upstream moved keeps its remembered commit.
    """
    fresh = {
        tag: commit
        for tag, commit in (upstream_tags(observation) or {}).items()
        if commit is not None and is_release_name(tag)
    }
    return fresh | dict(remembered_tags(observation))


def is_still_tagged(have: Canonical, observation: Observation) -> bool:
    """Return whether upstream still has the canonical's tag on the same commit. Only then can it be promoted again."""
    return (upstream_tags(observation) or {}).get(have.version) == have.commit
