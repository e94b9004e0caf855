"""A second, simple model of what a pass must do. Tests compare real passes with it.

It knows only releases `N.0.0` and `vN.0.0`, recipes without needs, and data that is kept over upgrades.
"""

from collections.abc import Mapping

from attrs import define, field, frozen

from reconciler.core.findings import Cause
from reconciler.core.outcome import Result
from tests.world import Behaviour, World
from tests.world_mirrors import WorldUpstream


@frozen
class ModelCanonical:
    """The parts of a canonical that are the same in two runs."""

    version: str
    commit: str
    lineage: tuple[str, ...]


@frozen
class ModelRed:
    """A release that is not tried again: its rank in the order, its commit, and whether the tests were broken."""

    rank: int
    commit: str
    broken: bool


@define
class RecipeModel:
    """What the registry remembers of one recipe. `older` is the newest intact generation before the canonical."""

    have: ModelCanonical | None = None
    damaged: bool = False
    older: ModelCanonical | None = None
    known: dict[str, str] = field(factory=dict)
    reds: dict[str, ModelRed] = field(factory=dict)


@frozen
class RecipeFacts:
    """What a pass depends on beside the model. `objects` are the commits that the mirror can have."""

    origin: WorldUpstream
    behaviours: Mapping[str, Behaviour]
    enrolled: bool
    broken: bool
    mirrored: bool
    objects: frozenset[str]
    lacks_tool: bool = False
    busy: bool = False
    retry: bool = False


@frozen
class ExpectedWork:
    """What the plan does for one recipe. `target` is the (version, commit) that is tried, None if nothing is."""

    cause: Cause
    target: tuple[str, str] | None = None
    repairs: bool = False
    person: bool = False


def facts_of(world: World, name: str, *, busy: bool = False, retry: bool = False) -> RecipeFacts:
    recipe, mirror = world.recipes[name], world.mirrors.get(name)
    return RecipeFacts(
        origin=world.origins[name],
        behaviours=world.behaviours,
        enrolled=recipe.enrolled,
        broken=(recipe.folder / "broken").exists(),
        mirrored=mirror is not None,
        objects=frozenset(world.origins[name].tags.values()) | (mirror.objects if mirror else set()),
        lacks_tool=bool(set(recipe.requires) & world.missing),
        busy=busy,
        retry=retry,
    )


def rank(tag: str) -> int:
    return int(tag.removeprefix("v").split(".")[0])


def tags_of_rank(tags: Mapping[str, str], place: int) -> list[str]:
    """Return the tags of one rank. The first is the one that names the release."""
    return sorted((tag for tag in tags if rank(tag) == place), key=lambda tag: (tag.startswith("v"), tag))


def moved_tags(model: RecipeModel, tags: Mapping[str, str]) -> set[str]:
    recorded = {model.have.version: model.have.commit} if model.have else {}
    return {tag for tag, commit in tags.items() if (recorded | model.known).get(tag, commit) != commit}


def is_shrunken(model: RecipeModel, tags: Mapping[str, str]) -> bool:
    lost = [tag for tag in model.known if tag not in tags]
    return len(lost) > max(1, len(model.known) // 10)


def cause_of(model: RecipeModel, origin: WorldUpstream) -> Cause:  # noqa: PLR0911  one line a cause, the gravest first
    tags, have = origin.tags, model.have
    if origin.down or is_shrunken(model, tags):
        return Cause.UNOBSERVABLE
    newest = tags_of_rank(tags, max(map(rank, tags), default=0))
    one = len({tags[tag] for tag in newest}) == 1
    watched = set(newest[:1] if one else newest) | ({have.version} if have else set())
    if watched & moved_tags(model, tags):
        return Cause.MOVED
    if have and not _is_published(have, tags):
        return Cause.AHEAD
    if not tags:
        return Cause.NEVER_RELEASED
    if not one:
        return Cause.AMBIGUOUS
    if have is None:
        return Cause.FIRST_RELEASE
    same = rank(have.version) == rank(newest[0]) and have.commit == tags[newest[0]]
    return Cause.IN_SYNC if same else Cause.NEW_RELEASE


def _is_published(have: ModelCanonical, tags: Mapping[str, str]) -> bool:
    """Whether the canonical's release is still published and not newer than all published ones."""
    published = have.version in tags or any(tags[tag] == have.commit for tag in tags_of_rank(tags, rank(have.version)))
    return published and rank(have.version) <= max(map(rank, tags))


def work_of(model: RecipeModel, facts: RecipeFacts) -> ExpectedWork:
    """Return the plan for one declared recipe."""
    cause, tags = cause_of(model, facts.origin), facts.origin.tags
    if not facts.enrolled:
        return ExpectedWork(cause)
    if cause in {Cause.FIRST_RELEASE, Cause.NEW_RELEASE}:
        newest = tags_of_rank(tags, max(map(rank, tags)))[0]
        if not _is_red(model, facts, newest, tags[newest]):
            return ExpectedWork(cause, (newest, tags[newest]))
        at_its_tag = model.have is not None and tags.get(model.have.version) == model.have.commit
        return _repair(model, facts, cause) if model.damaged and at_its_tag else ExpectedWork(cause, person=True)
    if cause is Cause.IN_SYNC:
        return _repair(model, facts, cause) if model.damaged else ExpectedWork(cause, repairs=not facts.mirrored)
    return ExpectedWork(cause, person=cause in {Cause.MOVED, Cause.AHEAD, Cause.AMBIGUOUS})


def _repair(model: RecipeModel, facts: RecipeFacts, cause: Cause) -> ExpectedWork:
    """Plan the recorded release again. A person is needed too where it, or a newer release, is red."""
    assert model.have is not None
    tags = facts.origin.tags
    version = model.have.version if cause is Cause.NEW_RELEASE else tags_of_rank(tags, rank(model.have.version))[0]
    red = _is_red(model, facts, version, model.have.commit)
    target = None if red else (version, model.have.commit)
    return ExpectedWork(cause, target, repairs=not red, person=red or cause is Cause.NEW_RELEASE)


def _is_red(model: RecipeModel, facts: RecipeFacts, version: str, commit: str) -> bool:
    return not facts.retry and ModelRed(rank(version), commit, facts.broken) in model.reds.values()


def apply_pass(model: RecipeModel, facts: RecipeFacts) -> Result:
    """Apply one pass to the model, and return the result of the recipe."""
    work = work_of(model, facts)
    if not facts.enrolled:
        return Result.NONE
    if work.cause is not Cause.UNOBSERVABLE:
        model.known = {**facts.origin.tags, **model.known}
    if work.target is None:
        return Result.REPAIRED if work.repairs else Result.NONE
    if facts.busy:
        return Result.NOT_TRIED
    if facts.lacks_tool:
        model.reds.pop(work.target[0], None)
        return Result.INFRASTRUCTURE
    return _apply_trial(model, facts, work, *work.target)


def _apply_trial(model: RecipeModel, facts: RecipeFacts, work: ExpectedWork, version: str, commit: str) -> Result:
    model.reds.pop(version, None)
    if _is_lost(model, facts, version, commit):
        model.damaged, model.older = True, None if model.damaged else model.older
        return Result.INFRASTRUCTURE
    lineage, fault = _verdict(model, facts, version, commit)
    if fault is not None:
        model.reds[version] = ModelRed(rank(version), commit, facts.broken)
        return fault
    model.older = model.older if model.damaged else model.have
    model.have, model.damaged = ModelCanonical(version, commit, lineage), False
    return Result.REPAIRED if work.repairs else Result.PROMOTED


def _is_lost(model: RecipeModel, facts: RecipeFacts, version: str, commit: str) -> bool:
    """Whether the trial reaches its upgrade and the base's commit is no longer available."""
    head, base = facts.behaviours[commit], _base_generation(model, version, commit)
    return head.starts and not head.slow and base is not None and base.commit not in facts.objects


def _base_generation(model: RecipeModel, version: str, commit: str) -> ModelCanonical | None:
    """Return the generation whose data is the base of the trial, None if there is none."""
    have = model.older if model.damaged else model.have
    if have is None or rank(have.version) > rank(version):
        return None
    same = (rank(have.version), have.commit) == (rank(version), commit)
    return None if same and not model.damaged else have


def _verdict(
    model: RecipeModel, facts: RecipeFacts, version: str, commit: str
) -> tuple[tuple[str, ...], Result | None]:
    """Return the lineage after the trial, and the result if it is not promoted, else None."""
    head, before = facts.behaviours[commit], _lineage_before(model, facts, version, commit)
    base = _base_generation(model, version, commit)
    again = base is not None and (base.version, base.commit) == (version, commit)
    red = {
        not head.starts,
        head.slow,
        head.loses_data,
        not head.passes_custom,
        facts.broken,
        head.breaks_lived and before != () and not again,
    }
    refused = head.writes_into_checkout or head.is_bound
    fault = Result.RED if True in red else Result.GREEN_NOT_PROMOTED if refused else None
    return before if again else (*before, version), fault


def _lineage_before(model: RecipeModel, facts: RecipeFacts, version: str, commit: str) -> tuple[str, ...]:
    """Return the versions that ran on the base's data: the canonical's lineage, or the newest older release alone."""
    tags, have = facts.origin.tags, _base_generation(model, version, commit)
    if have is not None:
        return have.lineage
    doubtful = moved_tags(model, tags)
    steady = {tag: each for tag, each in tags.items() if tag not in doubtful}
    for place in sorted({rank(tag) for tag in steady if rank(tag) < rank(version)}, reverse=True):
        names = tags_of_rank(steady, place)
        if len({steady[tag] for tag in names}) == 1 and steady[names[0]] != commit:
            base = facts.behaviours[steady[names[0]]]
            return (names[0],) if base.starts and not base.slow else ()
    return ()
