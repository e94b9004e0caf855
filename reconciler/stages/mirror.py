"""Updates mirrors to upstream's answers, and records the answers. Nothing is tried here."""

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
from reconciler.stages.signatures import with_fetched_signatures
from state.records import Answer, KnownTag, Memory


@frozen
class MirrorResult:
    """The observations, with upstream's answers in their memories. `notes` are remarks for the report.

    `mirror_errors` maps a recipe to the reason why its mirror was not updated, or why the answer was not recorded. A
    recipe whose upstream sent git objects that cannot be used is unobservable.
    """

    observed: Observations
    mirror_errors: Mapping[str, str]
    notes: tuple[str, ...]


def update_mirrors(host: Host, observed: Observations) -> MirrorResult:
    """Update each mirror that lacks something of upstream's answer. Record the answer if its mirror is up to date.

    The returned observations still have the mirrors as they were before the update, because the plan reports that.
    """
    observations: dict[str, Observation] = {}
    mirror_errors: dict[str, str] = {}
    notes: list[str] = []
    for name, observation in observed.observations.items():
        try:
            observations[name], remarks = _update_one(host, observation)
            notes += remarks
        except UpstreamError as fault:
            observations[name] = evolve(observation, answer=Unobservable(fault.message))
        except Exception as failed:  # noqa: BLE001  other recipes go on
            observations[name] = observation
            mirror_errors[name] = f"the mirror could not be updated: {reason_of(failed)}"
    changed = [
        observations[name].memory
        for name in observations
        if observations[name].memory != observed.observations[name].memory
    ]
    for name, why in _remember(host, changed).items():
        observations[name] = observed.observations[name]
        mirror_errors[name] = f"upstream's answer could not be recorded: {why}"
    return MirrorResult(evolve(observed, observations=observations), mirror_errors, tuple(notes))


def _remember(host: Host, memories: Sequence[Memory]) -> Mapping[str, str]:
    """Record the memories in one transaction; if that fails, each by itself.

    Return by recipe why it could not be recorded.
    """
    failures: dict[str, str] = {}
    try:
        if memories:
            host.registry.remember(memories, [])
    except Exception as failed:  # noqa: BLE001  other recipes go on
        if len(memories) == 1:
            return {memories[0].recipe: reason_of(failed)}
        for memory in memories:
            failures |= _remember(host, [memory])
    return failures


def _update_one(host: Host, observation: Observation) -> tuple[Observation, tuple[str, ...]]:
    """Update one mirror. Return the observation with upstream's answer in its memory, and remarks for the report.

    If the recipe is not enrolled or upstream counts as unobservable, return the observation as it is. Raise
    UpstreamError or InfrastructureError if the mirror cannot be updated.
    """
    if isinstance(observation.answer, Unobservable) or not follows_upstream(observation):
        return observation, ()
    updated = _fetch(host, observation, observation.answer)
    not_commits = _not_commits(observation, observation.answer, updated)
    memory = remembered_answer(observation.memory, observation.answer, not_commits, observation.observed_at)
    seen = with_fetched_signatures(host, evolve(observation, memory=memory), observation.answer)
    return seen, update_notes(observation.recipe.name, updated)


def _fetch(host: Host, observation: Observation, answer: Answer) -> MirrorUpdate:
    """Fetch what the mirror lacks of `answer`, and return what happened; an empty MirrorUpdate if it lacks nothing.

    Raise UpstreamError or InfrastructureError if that fails.
    """
    if not needs_fetch(observation):
        return MirrorUpdate()
    host.progress.step(observation.recipe.name, "fetching into the mirror")
    return host.mirrors.update(observation.recipe, answer, tags_to_mirror(observation))


def update_notes(name: str, updated: MirrorUpdate) -> tuple[str, ...]:
    """Return notes for the report on an update of the mirror of the recipe `name`; none if nothing is worth a note."""
    remarks = list(updated.remarks)
    if updated.broken_copy is not None:
        remarks.append(f"its mirror was broken and was fetched anew; the broken one lies in {updated.broken_copy}")
    return tuple(f"{name}: {remark}" for remark in remarks)


def _not_commits(observation: Observation, answer: Answer, updated: MirrorUpdate) -> Mapping[str, str]:
    """Return upstream's tags that name something else than a commit, each with the id of that git object.

    Only a fetch shows whether a tag names a commit, so the tags are those that this fetch showed, and those known from
    earlier fetches.
    """
    known = {
        tag: object_id for tag, object_id in observation.memory.not_commits.items() if answer.tags.get(tag) == object_id
    }
    return known | {tag: object_id for tag in updated.without_commit if (object_id := answer.tags.get(tag)) is not None}


def remembered_answer(memory: Memory, answer: Answer, not_commits: Mapping[str, str], now: datetime) -> Memory:
    """Return the memory with upstream's answer added, at the time `now`; the same memory if it has all that already.

    A release tag that was known before keeps the commit that it had first, even if the answer has another.
    `not_commits` are the tags that name something else than a commit, each with the id of that git object.
    """
    fresh = {
        tag: KnownTag(commit, now)
        for tag, commit in answer.tags.items()
        if commit is not None and is_release_name(tag) and not_commits.get(tag) != commit and tag not in memory.known
    }
    if memory.answer == answer and not fresh and memory.not_commits == not_commits:
        return memory
    known = {**memory.known, **fresh}
    return evolve(memory, answer=answer, answered_at=now, known=known, not_commits=dict(not_commits))
