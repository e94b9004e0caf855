"""Brings mirrors up to upstream's answers, and remembers what those said. Nothing is tried here."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from attrs import evolve, frozen

from desired.model import Unobservable
from desired.versions import is_release_name
from reconciler.core.findings import MirrorState, mirror_state
from reconciler.core.observation import Observation, mirrored_tags, want_of
from reconciler.errors import UpstreamError, reason_of
from reconciler.ports.protocols import Host
from reconciler.ports.types import Updated
from reconciler.stages.observe import Observed
from state.records import Answer, KnownTag, Memory


@frozen
class Mirrored:
    """What was seen, with memories as they are now; why a mirror could not be brought up, by recipe; and remarks.

    An upstream whose objects cannot be taken was not seen.
    """

    observed: Observed
    hindrances: Mapping[str, str]
    notes: tuple[str, ...]


def bring_up(host: Host, observed: Observed) -> Mirrored:
    """Update each mirror that is behind. What upstream says is remembered only where its mirror could follow.

    The sights keep the mirror as it was seen before, since that is what the plan tells of.
    """
    sights: dict[str, Observation] = {}
    hindrances: dict[str, str] = {}
    notes: list[str] = []
    for name, sight in observed.sights.items():
        try:
            sights[name], said = _follow(host, sight)
            notes += said
        except UpstreamError as fault:
            sights[name] = evolve(sight, answer=Unobservable(fault.message))
        except Exception as failed:  # noqa: BLE001  one mirror that cannot follow hinders no other recipe
            sights[name] = sight
            hindrances[name] = f"the mirror could not be brought up: {reason_of(failed)}"
    changed = [sights[name].memory for name in sights if sights[name].memory != observed.sights[name].memory]
    for name, why in _remember(host, changed).items():
        sights[name] = observed.sights[name]
        hindrances[name] = f"what upstream said could not be recorded: {why}"
    return Mirrored(evolve(observed, sights=sights), hindrances, tuple(notes))


def _remember(host: Host, memories: Sequence[Memory]) -> Mapping[str, str]:
    """Write all in one go, or where that fails each for itself; returns by recipe why one could not be written."""
    failures: dict[str, str] = {}
    try:
        if memories:
            host.registry.remember(memories, [])
    except Exception as failed:  # noqa: BLE001  as above
        if len(memories) == 1:
            return {memories[0].recipe: reason_of(failed)}
        for memory in memories:
            failures |= _remember(host, [memory])
    return failures


def _follow(host: Host, sight: Observation) -> tuple[Observation, tuple[str, ...]]:
    """The sight with what its memory is now, and remarks."""
    if not sight.recipe.enrolled or isinstance(sight.answer, Unobservable):
        return sight, ()
    if isinstance(want_of(sight), Unobservable):
        return sight, ()  # shrunken: neither mirrored nor remembered until a person accepts it
    updated = _updated(host, sight, sight.answer)
    not_commits = _not_commits(sight, sight.answer, updated)
    memory = remembered_answer(sight.memory, sight.answer, not_commits, sight.observed_at)
    return evolve(sight, memory=memory), said_of(sight.recipe.name, updated)


def _updated(host: Host, sight: Observation, answer: Answer) -> Updated:
    if mirror_state(sight) is MirrorState.EQUAL:
        return Updated()
    host.progress.step(sight.recipe.name, "fetching into the mirror")
    return host.mirrors.update(sight.recipe, answer, mirrored_tags(sight))


def said_of(name: str, updated: Updated) -> tuple[str, ...]:
    """What a reader should know of an update, if anything."""
    said = list(updated.remarks)
    if updated.laid_aside is not None:
        said.append(f"its mirror was broken and was fetched anew; the broken one lies in {updated.laid_aside}")
    return tuple(f"{name}: {each}" for each in said)


def _not_commits(sight: Observation, answer: Answer, updated: Updated) -> Mapping[str, str]:
    """Tags that peel to no commit, with what they name; found out in fetching them."""
    known = {tag: named for tag, named in sight.memory.not_commits.items() if answer.tags.get(tag) == named}
    return known | {tag: named for tag in updated.useless if (named := answer.tags.get(tag)) is not None}


def remembered_answer(memory: Memory, answer: Answer, not_commits: Mapping[str, str], now: datetime) -> Memory:
    """`memory` with a complete answer; a tag once known keeps its commit, whatever the answer says."""
    fresh = {
        tag: KnownTag(commit, now)
        for tag, commit in answer.tags.items()
        if commit is not None and is_release_name(tag) and not_commits.get(tag) != commit and tag not in memory.known
    }
    if memory.answer == answer and not fresh and memory.not_commits == not_commits:
        return memory
    known = {**memory.known, **fresh}
    return evolve(memory, answer=answer, answered_at=now, known=known, not_commits=dict(not_commits))
