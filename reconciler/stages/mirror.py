"""Updates the mirrors to what upstreams answered, and records the answers. Nothing is tried here."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from attrs import evolve, frozen

from desired.releases import Unobservable
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
    """What came of the update of the mirrors.

    * `observed`: the observations, with upstream's new answers in their memories. An upstream whose git objects cannot
      be used is unobservable.
    * `mirror_errors`: the recipes whose mirror was not updated or whose answer was not recorded, each with the reason.
    * `notes`: notes for the report.
    """

    observed: Observations
    mirror_errors: Mapping[str, str]
    notes: tuple[str, ...]


def update_mirrors(host: Host, observed: Observations) -> MirrorResult:
    """Fetch into each mirror what it lacks of upstream's answer. Record each answer once the mirror has all of it.

    Return what came of the updates. The returned observations describe the mirrors as they were before the updates,
    because the report says what the plan was made from.
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
    """Record the memories in one transaction. If that fails, record each memory in a transaction of its own.

    Return the reasons why memories could not be recorded, by recipe; {} if all were recorded.
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
    """Update the mirror of one recipe. Return its observation with upstream's answer in the memory, and notes.

    If the recipe is not enrolled, or upstream counts as unobservable, return the observation unchanged, without notes.
    Raise UpstreamError or InfrastructureError if the mirror cannot be updated.
    """
    if isinstance(observation.answer, Unobservable) or not follows_upstream(observation):
        return observation, ()
    updated = _fetch(host, observation, observation.answer)
    not_commits = _not_commits(observation, observation.answer, updated)
    memory = remembered_answer(observation.memory, observation.answer, not_commits, observation.observed_at)
    seen = with_fetched_signatures(host, evolve(observation, memory=memory), observation.answer)
    return seen, update_notes(observation.recipe.name, updated)


def _fetch(host: Host, observation: Observation, answer: Answer) -> MirrorUpdate:
    """Fetch into the mirror what it lacks of upstream's `answer`. Return what happened; an empty value for nothing.

    Raise UpstreamError or InfrastructureError if the fetch fails.
    """
    if not needs_fetch(observation):
        return MirrorUpdate()
    host.progress.step(observation.recipe.name, "fetching into the mirror")
    return host.mirrors.update(observation.recipe, answer, tags_to_mirror(observation))


def update_notes(name: str, updated: MirrorUpdate) -> tuple[str, ...]:
    """Return notes for the report on `updated`, the update of the mirror of the recipe `name`; () for no notes."""
    remarks = list(updated.remarks)
    if updated.broken_copy is not None:
        remarks.append(f"its mirror was broken and was fetched anew; the broken one lies in {updated.broken_copy}")
    return tuple(f"{name}: {remark}" for remark in remarks)


def _not_commits(observation: Observation, answer: Answer, updated: MirrorUpdate) -> Mapping[str, str]:
    """Return the tags in upstream's `answer` that name no commit, each with the id of the git object that it names.

    Only a fetch shows that a tag names no commit. `updated` is what this pass fetched. The memory in `observation` has
    the tags that earlier fetches have shown to name no commit.
    """
    known = {
        tag: object_id for tag, object_id in observation.memory.not_commits.items() if answer.tags.get(tag) == object_id
    }
    return known | {tag: object_id for tag in updated.without_commit if (object_id := answer.tags.get(tag)) is not None}


def remembered_answer(memory: Memory, answer: Answer, not_commits: Mapping[str, str], now: datetime) -> Memory:
    """Return the memory with upstream's answer added, as seen at the time `now`.

    If the memory already has all that the answer has, return the memory unchanged. A release tag that was known before
    keeps its first commit, even if the answer names another one. `not_commits` are the tags that name no commit, each
    with the id of the git object that the tag names.
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
