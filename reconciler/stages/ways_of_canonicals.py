"""Tries ways of the canonicals at the end of a pass. `ways_to_try` finds which ways these are.

Only copies of sealed data are used. Each result is recorded in the ledger, and nothing else is changed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from desired.model import Fleet, WayName
from desired.releases import Release
from reconciler.core.disk_budget import TrialsBeside
from reconciler.core.needs import apps_of
from reconciler.core.way_budget import tried_since
from reconciler.core.way_records import WAY_LINE, way_body
from reconciler.core.ways import WayResult
from reconciler.deploy.app_set import AppSet, app_set_digest, make_app_set, snapshot_app_set
from reconciler.deploy.slot_lock import lock_slot
from reconciler.errors import InfrastructureError, InterruptedPassError
from reconciler.ports.host import Host
from reconciler.promotion.undeploy_conflicts import deployed_conflicts, undeployed
from reconciler.stages.disk_room import why_no_room
from reconciler.stages.observe import Observations, with_tests_now
from reconciler.stages.older_data import older_data
from reconciler.stages.way_notes import Notes, way_note
from reconciler.stages.way_time import WayTime
from reconciler.stages.ways_to_try import WaysToTry, failed_text, wanted_ways, ways_to_try
from reconciler.ways.older_data import OlderData
from reconciler.ways.run_way import run_way
from reconciler.ways.way_run import WaySubject
from state.records import Canonical, LedgerEntry


@frozen
class TriedWays:
    """What came of the ways that a pass tried.

    * `results`: the results of the ways, by recipe.
    * `notes`: sentences for the report, on each result and on what could not be tried.
    * `signal`: the number of the signal that interrupted the pass; None if none did.
    """

    results: Mapping[str, Sequence[WayResult]]
    notes: Notes
    signal: int | None = None


def try_ways(host: Host, fleet: Fleet, observed: Observations, asked: Iterable[WayName]) -> TriedWays:
    """Try ways of canonicals, one after the other, and record each result in the ledger. Return all results.

    `asked` are ways to try of every canonical, besides those that recipes declare. The recipe that was tried longest
    ago comes first. Ways for which there is no time (`[budget] ways`) or no disk are left to a later pass, with a note.
    If the ways of a recipe fail, a note says why, and the other recipes go on. After a signal, return the results so
    far.
    """
    if not wanted_ways(observed.observations, asked):
        return TriedWays({}, ())
    records = host.registry.read()
    # Since it was observed, this pass may have promoted what a recipe needs.
    now = with_tests_now(fleet, observed, records)
    to_try, unknown = ways_to_try(host, now.observations, records, asked)
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
            notes.append(f"{name}: {failed_text(host, name, failed)}")
    return TriedWays(results, (*notes, *time.notes()))


def record_way(host: Host, result: WayResult, *, who: str = "") -> None:
    """Append the result of a way to the ledger.

    `who` is the person who tried the way by hand; "" for a pass. Later passes do not try the way again if a pass got
    the result, and if neither the way nor one of its cases has the answer ERROR.
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
    """Lock the recipe's working folder. Yield a host with only the needed drivers, and the release to try.

    During the `with` block, kept deployments that share an app with the recipe are undeployed. Raise
    InfrastructureError if the recipe's tests have changed since they were observed.
    """
    recipe, recipes = to_try.recipe, fleet.recipes
    for driver in host.drivers.values():
        driver.forget()
    releases = dict.fromkeys(recipes, Release("", ""))
    if app_set_digest(make_app_set(recipe, _release(to_try), recipes, releases)) != to_try.observation.files:
        raise InfrastructureError("its tests changed after this pass began: the next pass tries them")
    drivers = {recipes[app].driver for app in apps_of(recipe, recipes)} | host.state.drivers_of_slot(recipe.name)
    way_host = host.with_drivers(drivers)
    with (
        undeployed(host, fleet, recipe, deployed_conflicts(host, fleet, recipe)),
        lock_slot(way_host, recipe.name, f"pass {host.pass_id}: ways") as folder,
    ):
        yield way_host, _way_subject(way_host, fleet, to_try, folder)


def _way_subject(host: Host, fleet: Fleet, to_try: WaysToTry, folder: Path) -> WaySubject:
    """Return the release whose ways are tried, with its data. It is deployed in the working folder `folder`."""
    canonical, have = to_try.canonical, host.registry.read().canonicals
    return WaySubject(
        recipe=to_try.recipe,
        release=_release(to_try),
        base=to_try.base,
        no_base=to_try.no_base,
        tests=to_try.observation.tests,
        folder=folder,
        logs=host.state.trial_log(to_try.recipe.name, canonical.evidence.trial),
        logs_name=canonical.evidence.log,
        unpack=lambda into: snapshot_app_set(host, canonical, fleet.recipes, into, have),
        older=_older(host, fleet, to_try, have),
    )


def _release(to_try: WaysToTry) -> Release:
    return Release(to_try.canonical.version, to_try.canonical.commit)


def _older(host: Host, fleet: Fleet, to_try: WaysToTry, have: Mapping[str, Canonical]) -> OlderData:
    """Return the data of older releases over which the ways in `to_try` deploy the canonical's release.

    Each recipe that the tried recipe needs is deployed at the release of its own canonical. `have` has all canonicals,
    by recipe.
    """
    if to_try.older is None:
        return OlderData()
    recipe, release = to_try.recipe, _release(to_try)
    releases = {name: Release(each.version, each.commit) for name, each in have.items()}

    def needed() -> AppSet:
        return make_app_set(recipe, release, fleet.recipes, releases)[:-1]

    return older_data(host, fleet.recipes, have, recipe, to_try.older, needed)
