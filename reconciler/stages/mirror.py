"""Brings mirrors up to upstream's answers, and remembers what those said. Nothing is tried here."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from attrs import evolve, frozen

from desired.model import Unobservable
from desired.versions import is_release_name
from reconciler.core.findings import follows_upstream, needs_fetch
from reconciler.core.observation import Observation, tags_to_mirror
from reconciler.errors import UpstreamError, reason_of
from reconciler.ports.host import Host
from reconciler.ports.repositories import MirrorUpdate
from reconciler.stages.observe import Observations
from state.records import Answer, KnownTag, Memory


@frozen
class MirrorResult:
    """What was seen, with memories as they are now; why a mirror could not be brought up, by recipe; and remarks.

    An upstream whose objects cannot be taken was not seen.
    """

    observed: Observations
    mirror_errors: Mapping[str, str]
    notes: tuple[str, ...]


def update_mirrors(host: Host, observed: Observations) -> MirrorResult:
    """Update each mirror that is behind. What upstream says is remembered only where its mirror could follow.

    The observations keep the mirror as it was seen before, since that is what the plan tells of.
    """
    observations: dict[str, Observation] = {}
    mirror_errors: dict[str, str] = {}
    notes: list[str] = []
    for name, observation in observed.observations.items():
        try:
            observations[name], said = _follow(host, observation)
            notes += said
        except UpstreamError as fault:
            observations[name] = evolve(observation, answer=Unobservable(fault.message))
        except Exception as failed:  # noqa: BLE001  one mirror that cannot follow hinders no other recipe
            observations[name] = observation
            mirror_errors[name] = f"the mirror could not be brought up: {reason_of(failed)}"
    changed = [
        observations[name].memory
        for name in observations
        if observations[name].memory != observed.observations[name].memory
    ]
    for name, why in _remember(host, changed).items():
        observations[name] = observed.observations[name]
        mirror_errors[name] = f"what upstream said could not be recorded: {why}"
    return MirrorResult(evolve(observed, observations=observations), mirror_errors, tuple(notes))


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


def _follow(host: Host, observation: Observation) -> tuple[Observation, tuple[str, ...]]:
    """The observation with what its memory is now, and remarks."""
    if isinstance(observation.answer, Unobservable) or not follows_upstream(observation):
        return observation, ()
    updated = _updated(host, observation, observation.answer)
    not_commits = _not_commits(observation, observation.answer, updated)
    memory = remembered_answer(observation.memory, observation.answer, not_commits, observation.observed_at)
    return evolve(observation, memory=memory), update_notes(observation.recipe.name, updated)


def _updated(host: Host, observation: Observation, answer: Answer) -> MirrorUpdate:
    if not needs_fetch(observation):
        return MirrorUpdate()
    host.progress.step(observation.recipe.name, "fetching into the mirror")
    return host.mirrors.update(observation.recipe, answer, tags_to_mirror(observation))


def update_notes(name: str, updated: MirrorUpdate) -> tuple[str, ...]:
    """What a reader should know of an update, if anything."""
    said = list(updated.remarks)
    if updated.broken_copy is not None:
        said.append(f"its mirror was broken and was fetched anew; the broken one lies in {updated.broken_copy}")
    return tuple(f"{name}: {each}" for each in said)


def _not_commits(observation: Observation, answer: Answer, updated: MirrorUpdate) -> Mapping[str, str]:
    """Tags that peel to no commit, with what they name; found out in fetching them."""
    known = {tag: named for tag, named in observation.memory.not_commits.items() if answer.tags.get(tag) == named}
    return known | {tag: named for tag in updated.without_commit if (named := answer.tags.get(tag)) is not None}


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
