"""Tries ways of the canonicals at the end of a pass. A way is tried if it is asked for and was not tried before.

Only copies of sealed data are used. Each result is recorded in the ledger, and nothing else is changed.
"""

import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from attrs import frozen

from desired.model import Fleet, Recipe, Release, WayName
from reconciler.core.closed_ways import closed_way
from reconciler.core.disk_budget import TrialsBeside
from reconciler.core.holds import why_held
from reconciler.core.needs import apps_of
from reconciler.core.observation import Observation, damage_of, tags_to_mirror
from reconciler.core.way_budget import tried_since
from reconciler.core.way_records import WAY_LINE, recorded_ways, way_body
from reconciler.core.ways import RecordedWay, WayResult, due_ways, way_base, way_text
from reconciler.deploy.app_set import AppSet, app_set_digest, make_app_set, snapshot_app_set
from reconciler.deploy.slot_lock import lock_slot
from reconciler.errors import InfrastructureError, InterruptedPassError, reason_of
from reconciler.ports.host import Host
from reconciler.promotion.undeploy_conflicts import deployed_conflicts, undeployed
from reconciler.stages.disk_room import why_no_room
from reconciler.stages.older_data import OVER_OLDER_DATA, OlderSources, older_data, older_sources
from reconciler.stages.signatures import refused_signature
from reconciler.stages.way_time import WayTime
from reconciler.ways.older_data import OlderData
from reconciler.ways.run_way import run_way
from reconciler.ways.way_run import WaySubject
from state.records import Canonical, LedgerEntry, Memory, Records


@frozen
class WaysToTry:
    """The ways of one canonical that are to be tried now.

    `base` is the older release to go back to; None if none may be deployed. `no_base` then says why. `recorded` are the
    earlier results of the recipe's ways, the oldest first. `older` is the data of older releases; None if none of
    `ways` needs such data.
    """

    recipe: Recipe
    canonical: Canonical
    base: Release | None
    no_base: str
    observation: Observation
    ways: tuple[WayName, ...]
    recorded: Sequence[RecordedWay]
    older: OlderSources | None = None


Notes = tuple[str, ...]


@frozen
class TriedWays:
    """What came of the ways that a pass tried.

    * `results`: by recipe.
    * `notes`: for the report, on each result and on what could not be tried.
    * `signal`: the number of the signal that interrupted the pass; None if none did.
    """

    results: Mapping[str, Sequence[WayResult]]
    notes: Notes
    signal: int | None = None


def ways_to_try(
    host: Host, observations: Mapping[str, Observation], records: Records, asked: Iterable[WayName]
) -> tuple[Sequence[WaysToTry], Mapping[str, str]]:
    """Return which ways to try of each observed recipe and, for other recipes, why this could not be found out.

    A way is to be tried if it was not tried before, and is in `asked` or declared by the recipe. Recipes on hold and
    damaged canonicals are left out. The ledger is read only if any way is asked for or declared.
    """
    wanted = _wanted(observations, asked)
    if not wanted:
        return (), {}
    found: list[WaysToTry] = []
    unknown: dict[str, str] = {}
    lines = host.registry.lines(kind=WAY_LINE)
    for name, ways in wanted.items():
        try:
            each = _to_try(host, observations[name], records, ways, recorded_ways(lines, name))
        except Exception as failed:  # noqa: BLE001  the other recipes go on
            unknown[name] = _failed_text(host, name, failed)
        else:
            found += [each] if each is not None and each.ways else []
    return found, unknown


def _wanted(observations: Mapping[str, Observation], asked: Iterable[WayName]) -> Mapping[str, tuple[WayName, ...]]:
    """Return for each enrolled recipe the ways in `asked` and its declared ones. Leave out recipes without any."""
    asked = tuple(asked)
    wanted = {name: (*asked, *each.recipe.ways.run) for name, each in observations.items() if each.recipe.enrolled}
    return {name: ways for name, ways in wanted.items() if ways}


def _failed_text(host: Host, name: str, failed: Exception) -> str:
    """Return why the ways of the recipe `name` cannot be tried. Show the error and its type in the progress, too."""
    host.progress.step(name, "".join(traceback.format_exception_only(failed)).strip())
    return f"its ways could not be tried: {reason_of(failed)}"


def _to_try(
    host: Host, observation: Observation, records: Records, asked: Iterable[WayName], recorded: Sequence[RecordedWay]
) -> WaysToTry | None:
    name, canonical = observation.recipe.name, records.canonicals.get(observation.recipe.name)
    if canonical is None or observation.tests_unreadable:
        return None
    memory = records.memories.get(name, Memory(name))
    held = why_held(records.holds.get(name), host.clock.now().date())
    if held or damage_of(memory, canonical.generation) is not None:
        return None
    base, no_base = deployable(host, observation, _base(host, observation, canonical))
    asked, release = set(asked), Release(canonical.version, canonical.commit)
    older = older_sources(host, observation, release) if asked & OVER_OLDER_DATA else None
    by_way = older.by_way() if older is not None else {}
    ways = due_ways(asked, release, base, observation.tests, recorded, by_way)
    return WaysToTry(observation.recipe, canonical, base, no_base, observation, ways, recorded, older)


def _base(host: Host, observation: Observation, canonical: Canonical) -> Release | None:
    return way_base(canonical, tags_to_mirror(observation), host.registry.generations(canonical.recipe))


def deployable(host: Host, observation: Observation, base: Release | None) -> tuple[Release | None, str]:
    """Return the older release `base` of a way back, and "", if it may be deployed; else None and the reason.

    If the recipe needs signatures, an unsigned `base` may not be deployed. Once it is signed, the way back is tried.
    Raise InfrastructureError if the signature cannot be checked.
    """
    if base is None:
        return None, "there is no older release"
    fault = refused_signature(host, observation, base)
    return (None, f"{base.version} is not deployed: its tag is unsigned: {fault}") if fault else (base, "")


def due_notes(host: Host, observations: Mapping[str, Observation], records: Records, asked: Iterable[WayName]) -> Notes:
    """Return a note for each recipe of which a pass would try ways now, for the report of a dry run.

    `asked` are the ways on the command line, besides those that each recipe declares; () for none.
    """
    found, unknown = ways_to_try(host, observations, records, asked)
    due = (f"{each.recipe.name} {each.canonical.version}: a pass would try: {', '.join(each.ways)}" for each in found)
    return (*due, *(f"{name}: {why}" for name, why in unknown.items()))


def closed_notes(host: Host, records: Records, names: Iterable[str]) -> Notes:
    """Return a note for each way of these recipes whose recorded answer was YES before, and is NO for the canonical.

    The stop is left out: it depends on no older release.
    """
    canonicals = {name: records.canonicals[name] for name in names if name in records.canonicals}
    lines = host.registry.lines(kind=WAY_LINE) if canonicals else ()
    found = (
        closed_way(recorded_ways(lines, name), have.version, have.commit, way)
        for name, have in canonicals.items()
        for way in (WayName.BACK, WayName.LEAP, WayName.FALL)
    )
    return tuple(_closed_note(*each) for each in found if each is not None)


def _closed_note(before: WayResult, present: WayResult) -> str:
    if present.way is not WayName.BACK:
        was = f"{before.release.version} passed it"
        return (
            f"{present.recipe}: the {present.way} has closed: {was}; of {present.release.version}: {way_text(present)}"
        )
    was = f"{before.release.version} could go back" + (f" to {before.base.version}" if before.base else "")
    return f"{present.recipe}: the way back has closed: {was}; of {present.release.version}: {way_text(present)}"


def try_ways(host: Host, fleet: Fleet, observations: Mapping[str, Observation], asked: Iterable[WayName]) -> TriedWays:
    """Try ways of canonicals, one after the other, and record each result in the ledger. Return all results.

    `asked` are ways to try of every canonical, besides those that recipes declare. The recipe that was tried longest
    ago comes first. Ways for which there is no time (`[budget] ways`) or no disk are left to a later pass, with a note.
    A failure becomes a note, and the other recipes go on. After a signal, return the results so far.
    """
    if not _wanted(observations, asked):
        return TriedWays({}, ())
    to_try, unknown = ways_to_try(host, observations, host.registry.read(), asked)
    results: dict[str, list[WayResult]] = {}
    notes, time = [f"{name}: {why}" for name, why in unknown.items()], WayTime(host.clock, fleet.ways)
    for each in sorted(to_try, key=lambda each: tried_since(each.recorded)):
        name = each.recipe.name
        try:
            for result in _tried(host, fleet, each, time):
                results.setdefault(name, []).append(result)
                record_way(host, result)
                notes.append(way_note(result))
        except InterruptedPassError as stop:
            notes += (f"{name}: its ways were {stop.message}", *time.notes())
            return TriedWays(results, tuple(notes), stop.signal_number)
        except Exception as failed:  # noqa: BLE001  the other recipes go on
            notes.append(f"{name}: {_failed_text(host, name, failed)}")
    return TriedWays(results, (*notes, *time.notes()))


def way_note(result: WayResult) -> str:
    """Return a note for the report, such as "app 1.2.0: back yes to 1.1.0"."""
    return f"{result.recipe} {result.release.version}: {result.way} {way_text(result)}"


def record_way(host: Host, result: WayResult, *, who: str = "") -> None:
    """Append the result of a way to the ledger. If a pass got an answer, later passes do not try the way again.

    `who` is the person who tried it by hand; "" for a pass.
    """
    by = {"who": who} if who else {"pass": host.pass_id}
    body = {**by, "by_pass": not who, **way_body(result)}
    host.registry.append([LedgerEntry(host.clock.now(), WAY_LINE, result.recipe, body)])
    host.progress.done(result.recipe, f"{result.way}: {result.answer}")


def _tried(host: Host, fleet: Fleet, to_try: WaysToTry, time: WayTime) -> Iterator[WayResult]:
    """Try the ways of one canonical in order, as far as there is time. Yield the result of each.

    The caller holds the pass lock. Raise InfrastructureError if the disk has no room for another deployment.
    """
    name, recorded = to_try.recipe.name, to_try.recorded
    if not any(time.fits(way, recorded) for way in to_try.ways):
        time.left[name] = list(to_try.ways)
        return
    if full := why_no_room(host, fleet, to_try.observation.memory, TrialsBeside()):
        raise InfrastructureError(full)
    with _subject(host, fleet, to_try) as (way_host, subject):
        for way in to_try.ways:
            if time.begins(name, way, recorded):
                yield run_way(way_host, subject, way)


@contextmanager
def _subject(host: Host, fleet: Fleet, to_try: WaysToTry) -> Iterator[tuple[Host, WaySubject]]:
    """Lock the recipe's working folder. Yield a host with only the needed drivers, and what to try over which data.

    Kept deployments that share an app with the recipe are undeployed meanwhile. Raise InfrastructureError if the
    recipe's tests have changed since they were observed.
    """
    recipe, canonical, recipes = to_try.recipe, to_try.canonical, fleet.recipes
    apps, trial = apps_of(recipe, recipes), canonical.evidence.trial
    for driver in host.drivers.values():
        driver.forget()
    releases = dict.fromkeys(recipes, Release("", ""))
    app_set = make_app_set(recipe, Release(canonical.version, canonical.commit), recipes, releases)
    if app_set_digest(app_set) != to_try.observation.files:
        raise InfrastructureError("its tests changed after this pass began: the next pass tries them")
    drivers = {recipes[app].driver for app in apps} | host.state.drivers_of_slot(recipe.name)
    way_host, have = host.with_drivers(drivers), host.registry.read().canonicals
    with (
        undeployed(host, fleet, recipe, deployed_conflicts(host, fleet, recipe)),
        lock_slot(way_host, recipe.name, f"pass {host.pass_id}: ways") as folder,
    ):
        yield (
            way_host,
            WaySubject(
                recipe=recipe,
                release=Release(canonical.version, canonical.commit),
                base=to_try.base,
                no_base=to_try.no_base,
                tests=to_try.observation.tests,
                folder=folder,
                logs=host.state.trial_log(recipe.name, trial),
                logs_name=canonical.evidence.log,
                unpack=lambda into: snapshot_app_set(way_host, canonical, recipes, into, have),
                older=_older(way_host, fleet, to_try, have),
            ),
        )


def _older(host: Host, fleet: Fleet, to_try: WaysToTry, have: Mapping[str, Canonical]) -> OlderData:
    """Return the data of older releases. Each recipe that this one needs is deployed at its own canonical's release."""
    if to_try.older is None:
        return OlderData()
    recipe, release = to_try.recipe, Release(to_try.canonical.version, to_try.canonical.commit)
    releases = {name: Release(each.version, each.commit) for name, each in have.items()}

    def needed() -> AppSet:
        return make_app_set(recipe, release, fleet.recipes, releases)[:-1]

    return older_data(host, fleet.recipes, have, recipe, to_try.older, needed)
