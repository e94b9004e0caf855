"""Looks at upstream, mirrors, snapshots and the registry. One recipe's failure is that recipe's value."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence

from attrs import evolve, frozen

from desired.digest import FolderDigest, declaration_digest, files_digest
from desired.model import Fleet, Recipe, Unobservable
from reconciler.core.needs import apps_of, keeps_running
from reconciler.core.observation import CanonicalStatus, MirrorContents, Observation, Orphan, State
from reconciler.errors import in_one_line, reason_of
from reconciler.ports.host import Host
from reconciler.ports.repositories import Reply, TagQuery, Unchanged
from reconciler.promotion.generations import newest_intact_before, snapshot_status
from reconciler.promotion.running_canonical import PartsByRecipe, deployed_parts, deployment_status
from state.records import Answer, Memory, Records


@frozen
class Observations:
    """What was seen: an observation for each recipe that was asked for; every orphan, unless a selection was made."""

    observations: Mapping[str, Observation]
    orphans: Mapping[str, Orphan]


def observe(host: Host, fleet: Fleet, names: Iterable[str], records: Records) -> Observations:
    """Ask upstream of all `names` and look at what is recorded of them. Changes nothing."""
    selected = [fleet.recipes[name] for name in names]
    memories = {recipe.name: _memory(records, recipe.name) for recipe in selected}
    replies = _replies(host, [TagQuery(recipe, _known(memories[recipe.name])) for recipe in selected])
    parts_by_recipe = deployed_parts(host, {recipe.name: recipe for recipe in selected})
    asked = [_asked(host, recipe, replies.get(recipe.name), memories[recipe.name]) for recipe in selected]
    observations = {
        observation.recipe.name: _kept(host, _ours(host, fleet, observation, records), parts_by_recipe)
        for observation in asked
    }
    orphans = _orphans(host, fleet, records) if len(selected) == len(fleet.recipes) else {}
    return Observations(observations, orphans)


def observe_again(host: Host, fleet: Fleet, observed: Observations, records: Records) -> Observations:
    """The same answers of upstream, everything of ours seen anew."""
    parts_by_recipe = deployed_parts(
        host, {name: observation.recipe for name, observation in observed.observations.items()}
    )
    observations = {
        name: _kept(
            host, _ours(host, fleet, evolve(observation, memory=_memory(records, name)), records), parts_by_recipe
        )
        for name, observation in observed.observations.items()
    }
    return Observations(observations, _orphans(host, fleet, records) if observed.orphans else {})


def _replies(host: Host, questions: Sequence[TagQuery]) -> Mapping[str, Reply]:
    try:
        return host.upstream.ask(questions)
    except Exception as failed:  # noqa: BLE001  what is ours can still be looked at
        unasked = Unobservable(f"upstream could not be asked: {reason_of(failed)}")
        return {question.recipe.name: unasked for question in questions}


def _memory(records: Records, name: str) -> Memory:
    return records.memories.get(name, Memory(name))


def _known(memory: Memory) -> str | None:
    return memory.answer.digest if memory.answer is not None else None


def _asked(host: Host, recipe: Recipe, reply: Reply | None, memory: Memory) -> Observation:
    """What upstream said, before anything of ours is looked at."""
    return Observation(
        recipe=recipe,
        answer=_answer(reply, memory),
        memory=memory,
        canonical=None,
        status=CanonicalStatus(State.NONE),
        mirror=MirrorContents(),
        files="",
        tests="",
        observed_at=host.clock.now(),
    )


def _answer(reply: Reply | None, memory: Memory) -> Answer | Unobservable:
    if reply is None:
        return Unobservable("upstream gave no reply at all")
    if not isinstance(reply, Unchanged):
        return reply
    return memory.answer if memory.answer is not None else Unobservable("the same as an answer that is not remembered")


def _ours(host: Host, fleet: Fleet, observation: Observation, records: Records) -> Observation:
    name = observation.recipe.name
    if name in records.unreadable:
        why = unreadable_record_message(name, records)
        return evolve(observation, status=CanonicalStatus(State.UNKNOWN, why), answer=Unobservable(why))
    canonical = records.canonicals.get(name)
    files, unreadable = _files(fleet, observation.recipe)
    try:
        look = snapshot_status(host.snapshots, host.state, canonical, observation.memory)
        is_damaged = canonical is not None and look.state is State.DAMAGED
        return evolve(
            observation,
            canonical=canonical,
            status=look,
            older_intact=newest_intact_before(host, canonical, observation.memory)
            if canonical and is_damaged
            else None,
            mirror=_mirror(host, observation.recipe.name),
            files=files.whole if files else "",
            tests=tests_of(files.tests, observation.recipe, fleet.recipes, records) if files else "",
            missing_tools=host.commands.missing(observation.recipe.requires),
            tests_unreadable=unreadable,
        )
    except Exception as failed:  # noqa: BLE001  one recipe that cannot be looked at hinders no other
        why = reason_of(failed)
        look = CanonicalStatus(State.NONE if canonical is None else State.UNKNOWN, why)
        return evolve(
            observation, canonical=canonical, status=look, answer=Unobservable(f"this host could not look: {why}")
        )


def unreadable_record_message(name: str, records: Records) -> str:
    """What is wrong with the record of a recipe, and the ways out."""
    ways = f"bring canon.db back from a backup, or begin anew: take {name} out of the fleet, reconcile forget {name}"
    return f"its record cannot be read: {records.unreadable[name]}; {ways}"


def _kept(host: Host, observation: Observation, parts_by_recipe: PartsByRecipe) -> Observation:
    """Where an intact canonical is to be kept running, whether it stands as it was raised."""
    if (
        observation.canonical is None
        or observation.status.state is not State.INTACT
        or not keeps_running(observation.recipe)
    ):
        return observation
    return evolve(observation, status=deployment_status(host, observation.canonical, parts_by_recipe))


def _mirror(host: Host, name: str) -> MirrorContents:
    refs = host.mirrors.refs(name)
    if refs is None:
        return MirrorContents()
    if isinstance(refs, Unobservable):
        return MirrorContents(unreadable=refs.reason)
    return MirrorContents(refs.head, refs.tags)


def _files(fleet: Fleet, recipe: Recipe) -> tuple[FolderDigest | None, str]:
    """The digest of its folder and of those of all that it needs, or why there is none.

    A fleet folder may change at any time, and that concerns the tests in it alone.
    """
    try:
        return files_digest({name: fleet.recipes[name].folder for name in apps_of(recipe, fleet.recipes)}), ""
    except OSError as failed:
        return None, f"its tests cannot be read: {in_one_line(failed)}"


def tests_of(files: str, recipe: Recipe, recipes: Mapping[str, Recipe], records: Records) -> str:
    """The digest of all that a verdict rests on beside the release.

    That is what is declared of it and of all that it needs, with the fleet's defaults and by its values; the other
    files of their folders; and the releases of its needs.
    """
    needs = {name: records.canonicals.get(name) for name in recipe.install.needs}
    parts = {
        "declared": {name: declaration_digest(recipes[name]) for name in apps_of(recipe, recipes)},
        "files": files,
        "needs": {name: have.commit if have else "" for name, have in needs.items()},
    }
    return "sha256:" + hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _orphans(host: Host, fleet: Fleet, records: Records) -> dict[str, Orphan]:
    return {
        name: Orphan(canonical, snapshot_status(host.snapshots, host.state, canonical, _memory(records, name)))
        for name, canonical in records.canonicals.items()
        if name not in fleet.recipes
    }
