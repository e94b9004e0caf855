"""Observes upstreams, mirrors, snapshots and the registry. An error is kept in the observation of its recipe."""

from collections.abc import Iterable, Mapping, Sequence

from attrs import evolve, field, frozen

from desired.digest import files_digest
from desired.model import Fleet, Recipe
from desired.releases import Unobservable
from reconciler.core.needs import apps_of, keeps_running
from reconciler.core.observation import CanonicalStatus, MirrorContents, Observation, Orphan, State
from reconciler.deploy.tests_digest import with_tests
from reconciler.errors import CanonError, in_one_line, reason_of
from reconciler.ports.host import Host
from reconciler.ports.repositories import Reply, TagQuery, Unchanged
from reconciler.promotion.generations import intact_to_go_on_from, snapshot_status
from reconciler.promotion.running_canonical import PartsByRecipe, deployed_parts, deployment_status
from reconciler.stages.signatures import with_signatures
from state.records import Answer, Canonical, Memory, Records


@frozen
class Observations:
    """What was observed, all by name.

    * `observations`: an observation of each selected recipe.
    * `orphans`: all orphans, if the whole fleet is selected; else none.
    * `unselected`: the needs of selected recipes that are not selected and have no canonical. Their upstreams are not
      asked: the observations have the answers that earlier passes recorded.
    """

    observations: Mapping[str, Observation]
    orphans: Mapping[str, Orphan]
    unselected: Mapping[str, Observation] = field(factory=dict)


def observe(host: Host, fleet: Fleet, names: Iterable[str], records: Records) -> Observations:
    """Ask the upstreams of the recipes `names`, and look at what this host has of them. Return the observations.

    Nothing is changed. What cannot be observed raises no error: the observation of its recipe says why.
    """
    selected = [fleet.recipes[name] for name in names]
    memories = {recipe.name: _memory(records, recipe.name) for recipe in selected}
    replies = _ask_upstreams(host, [TagQuery(recipe, _known_digest(memories[recipe.name])) for recipe in selected])
    parts_by_recipe = deployed_parts(host, {recipe.name: recipe for recipe in selected})
    upstream_observations = [
        _upstream_observation(host, recipe, replies.get(recipe.name), memories[recipe.name]) for recipe in selected
    ]
    observations = {
        observation.recipe.name: _with_deployment_status(
            host, _with_local_state(host, fleet, observation, records), parts_by_recipe
        )
        for observation in upstream_observations
    }
    orphans = _orphans(host, fleet, records) if len(selected) == len(fleet.recipes) else {}
    unselected = _unselected_needs(host, fleet, selected, records)
    return with_tests_now(fleet, Observations(observations, orphans, unselected), records)


def observe_again(host: Host, fleet: Fleet, observed: Observations, records: Records) -> Observations:
    """Observe this host again, but no upstream. Return new observations, with upstream's answers from `observed`."""
    parts_by_recipe = deployed_parts(
        host, {name: observation.recipe for name, observation in observed.observations.items()}
    )
    observations = {
        name: _with_deployment_status(
            host,
            _with_local_state(host, fleet, evolve(observation, memory=_memory(records, name)), records),
            parts_by_recipe,
        )
        for name, observation in observed.observations.items()
    }
    orphans = _orphans(host, fleet, records) if observed.orphans else {}
    return with_tests_now(fleet, Observations(observations, orphans, observed.unselected), records)


def with_tests_now(fleet: Fleet, observed: Observations, records: Records) -> Observations:
    """Return the observations, each with the digest of the tests that a trial of its recipe would have now.

    It covers the files of its tests, and the release of each need: the canonical in `records`, else that in `observed`.
    """
    tests = with_tests(observed.observations, observed.unselected, fleet.recipes, records.canonicals)
    return evolve(observed, observations=tests)


def _unselected_needs(
    host: Host, fleet: Fleet, selected: Sequence[Recipe], records: Records
) -> Mapping[str, Observation]:
    """Return observations of the needs that are not `selected` and have no canonical, by name. Ask no upstream."""
    names = frozenset[str]().union(*(apps_of(recipe, fleet.recipes) for recipe in selected))
    needed = names - {recipe.name for recipe in selected} - records.canonicals.keys()
    recorded = [
        _upstream_observation(host, fleet.recipes[name], Unchanged(), _memory(records, name)) for name in needed
    ]
    return {each.recipe.name: _with_local_state(host, fleet, each, records) for each in recorded}


def _ask_upstreams(host: Host, queries: Sequence[TagQuery]) -> Mapping[str, Reply]:
    """Ask the upstreams, with one query each. Return their replies by recipe.

    If asking fails altogether, every reply is Unobservable, with the reason.
    """
    try:
        return host.upstream.ask(queries)
    except Exception as failed:  # noqa: BLE001  this host can still be observed
        unobservable = Unobservable(f"upstream could not be asked: {reason_of(failed)}")
        return {query.recipe.name: unobservable for query in queries}


def _memory(records: Records, name: str) -> Memory:
    return records.memories.get(name, Memory(name))


def _known_digest(memory: Memory) -> str | None:
    """Return the digest of upstream's last recorded answer; None if none is recorded."""
    return memory.answer.digest if memory.answer is not None else None


def _upstream_observation(host: Host, recipe: Recipe, reply: Reply | None, memory: Memory) -> Observation:
    """Return an observation that has only upstream's reply. What this host has is added to it later.

    `reply` is None if upstream gave no reply. `memory` has the answer that an earlier pass recorded.
    """
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
    """Return the answer of upstream. If `reply` is Unchanged, this is the answer that an earlier pass put in `memory`.

    Return Unobservable if `reply` is None (upstream gave no reply), or if `reply` is Unchanged and `memory` has no
    answer. Any other reply is returned as it is.
    """
    if reply is None:
        return Unobservable("upstream gave no reply")
    if not isinstance(reply, Unchanged):
        return reply
    return memory.answer or Unobservable("upstream's reply is that nothing changed, but no earlier answer is recorded")


def _with_local_state(host: Host, fleet: Fleet, observation: Observation, records: Records) -> Observation:
    """Return the observation with what this host has: canonical, mirror, tests, decisions, and missing tools.

    If this host or the record of the recipe cannot be read, the answer becomes an Unobservable that says why.
    """
    name = observation.recipe.name
    if name in records.unreadable:
        why = unreadable_record_message(name, records)
        return evolve(observation, status=CanonicalStatus(State.UNKNOWN, why), answer=Unobservable(why))
    canonical = records.canonicals.get(name)
    try:
        seen = _with_files(fleet, _with_snapshot(host, observation, canonical))
        return with_signatures(
            host,
            evolve(
                seen,
                mirror=_mirror(host, name),
                missing_tools=host.commands.missing(observation.recipe.requires),
                hold=records.holds.get(name),
                rollback=records.rollbacks.get(name),
            ),
        )
    except Exception as failed:  # noqa: BLE001  other recipes go on
        why = reason_of(failed)
        status = CanonicalStatus(State.NONE if canonical is None else State.UNKNOWN, why)
        answer = Unobservable(f"this host could not be observed: {why}")
        return evolve(observation, canonical=canonical, status=status, answer=answer)


def _with_snapshot(host: Host, observation: Observation, canonical: Canonical | None) -> Observation:
    """Return the observation with `canonical` and the status of its snapshot.

    If the snapshot is damaged, also with the intact generation from whose data the recipe goes on.
    """
    status = snapshot_status(host.snapshots, host.state, canonical, observation.memory)
    damaged = canonical if status.state is State.DAMAGED else None
    older = intact_to_go_on_from(host, damaged, observation.memory) if damaged else None
    return evolve(observation, canonical=canonical, status=status, older_intact=older)


def _with_files(fleet: Fleet, observation: Observation) -> Observation:
    """Return the observation with the digests of the fleet folders of the recipe and its needs.

    If one of these folders cannot be read, the observation says why. A person may change the folders at any time. While
    one cannot be read, only trials of the recipe are left out.
    """
    apps = apps_of(observation.recipe, fleet.recipes)
    try:
        files = files_digest({name: fleet.recipes[name].folder for name in apps})
    except OSError as failed:
        unreadable = f"its tests cannot be read: {in_one_line(failed)}"
        return evolve(observation, files="", test_files="", tests_unreadable=unreadable)
    return evolve(observation, files=files.whole, test_files=files.tests, tests_unreadable="")


def unreadable_record_message(name: str, records: Records) -> str:
    """Return a text on why the record of the recipe `name` cannot be read, and how to repair it."""
    remedy = (
        f"restore canon.db from a backup, or begin anew: take {name} out of the fleet and run reconcile forget {name}"
    )
    return f"its record cannot be read: {records.unreadable[name]}; {remedy}"


def require_readable_record(name: str, records: Records) -> None:
    """Raise CanonError if the record of the recipe `name` cannot be read."""
    if name in records.unreadable:
        raise CanonError(f"{name}: {unreadable_record_message(name, records)}")


def _with_deployment_status(host: Host, observation: Observation, parts_by_recipe: PartsByRecipe) -> Observation:
    """Return the observation with the status of the kept deployment in place of the snapshot's status.

    If the recipe keeps no deployment, or if the canonical is not intact, return the observation unchanged.
    `parts_by_recipe` are the parts that are deployed now.
    """
    if (
        observation.canonical is None
        or observation.status.state is not State.INTACT
        or not keeps_running(observation.recipe)
    ):
        return observation
    return evolve(observation, status=deployment_status(host, observation.canonical, parts_by_recipe))


def _mirror(host: Host, name: str) -> MirrorContents:
    """Return what our mirror of the recipe `name` has, or why it cannot be read; an empty value if there is none."""
    refs = host.mirrors.refs(name)
    if refs is None:
        return MirrorContents()
    if isinstance(refs, Unobservable):
        return MirrorContents(unreadable=refs.reason)
    return MirrorContents(refs.head, refs.tags)


def _orphans(host: Host, fleet: Fleet, records: Records) -> dict[str, Orphan]:
    """Return the orphans by recipe, each with the status of its snapshot."""
    return {
        name: Orphan(canonical, snapshot_status(host.snapshots, host.state, canonical, _memory(records, name)))
        for name, canonical in records.canonicals.items()
        if name not in fleet.recipes
    }
