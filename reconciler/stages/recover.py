"""Finishes or undoes what a dead pass left, first thing in every pass. Never needs a person."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from desired.declarations.values import is_recipe_name
from desired.model import Fleet
from reconciler.core.needs import apps_of
from reconciler.deploy.slot_lock import clear_leftovers
from reconciler.deploy.unmanaged_files import may_be_slot, unmanaged_files, unrecorded_snapshots
from reconciler.errors import BusyError, reason_of
from reconciler.ports.host import Host
from reconciler.promotion.generations import prune, refresh_file_stats
from reconciler.promotion.promote import abandon, delete_unrecorded
from reconciler.promotion.running_canonical import undeploy_unwanted
from state.folder.folder import is_slot
from state.folder.lock import hold
from state.records import Canonical, Intent, Memory, Records
from state.state_errors import LockHeldError, StateError

NAMED_STRAYS = 5


def recover(host: Host, fleet: Fleet) -> tuple[str, ...]:
    """Returns what was found and done, one remark each. Slots that somebody owns are left alone."""
    host.registry.flush()
    marks, remarks = _marked(host)
    everything = frozenset(mark for found in marks.values() for mark in found)
    records = host.registry.read()
    begun = {intent.recipe for intent in records.intents}
    remarks += [remark for intent in records.intents for remark in _drop_moved_in(host, intent)]
    remarks += _without("the work folder", lambda: _empty_all(host, fleet, _occupied(host, everything, begun), marks))
    remarks += [remark for intent in records.intents for remark in _close(host, intent)]
    remarks += [
        remark for canonical in records.canonicals.values() for remark in _prune(host, fleet, canonical, records)
    ]
    remarks += _without("canonicals/", lambda: _drop_empty(host, records))
    remarks += _without("mirrors/", lambda: _tidy_mirrors(host))
    remarks += _without("kept/", lambda: undeploy_unwanted(host, fleet, records, {*everything}))
    left = "move it away, or remove it if nobody needs it"
    remarks += _without("the state folder", lambda: _named(unmanaged_files(host.state), left))
    of_canonicals = "if an older canon.db was put back, bring the newer one back; otherwise move it away"
    remarks += _without("canonicals/", lambda: _named(unrecorded_snapshots(host, records), of_canonicals))
    return (*_ledger(host), *remarks)


def _without(what: str, do: Callable[[], Iterable[str]]) -> list[str]:
    """The remarks of one part of it; where that cannot be done now, why: no pass is kept from its work by that."""
    try:
        return list(do())
    except Exception as failed:  # noqa: BLE001  as above
        return [f"{what}: not cleared up now: {reason_of(failed)}"]


def _ledger(host: Host) -> list[str]:
    """A word where the ledger's chain is broken: canonicals do not rest on it, and the pass goes on."""
    try:
        host.registry.verify()
    except Exception as broken:  # noqa: BLE001  it hinders no recipe
        why = broken.message if isinstance(broken, StateError) else reason_of(broken)
        return [f"{why}: nothing is decided by it; compare canon.db with a backup"]
    return []


def _marked(host: Host) -> tuple[Mapping[str, tuple[str, ...]], list[str]]:
    """By driver, the marks of all that runs below the state folder; and which drivers could not tell theirs."""
    marks: dict[str, tuple[str, ...]] = {}
    remarks: list[str] = []
    for name, driver in host.drivers.items():
        try:
            marks[name] = driver.leftovers(host.state.root)
        except Exception as failed:  # noqa: BLE001  what one driver cannot tell hinders no other
            remarks.append(f"what a dead run may have left to the {name} driver is not known: {reason_of(failed)}")
    return marks, remarks


def _occupied(host: Host, marks: Collection[str], begun: Collection[str]) -> list[str]:
    """Recipes of which anything lies or runs below the work folder; of those `begun`, the lock may be lost."""
    work = host.state.work
    there = [path for path in work.iterdir() if may_be_slot(path)] if work.is_dir() else []
    folders = {path.name for path in there if is_slot(path) or path.name in begun}
    prefix = f"{work}/"
    marked = {mark.removeprefix(prefix).split("/")[0] for mark in marks if mark.startswith(prefix)}
    return sorted(folders | {name for name in marked if is_recipe_name(name)})


def _empty_all(host: Host, fleet: Fleet, names: Iterable[str], marks: Mapping[str, tuple[str, ...]]) -> list[str]:
    return [remark for name in names for remark in _empty(_concerned(host, fleet, name, marks), name)]


def _concerned(host: Host, fleet: Fleet, name: str, marks: Mapping[str, tuple[str, ...]]) -> Host:
    """The host with the drivers of a recipe and of all that it needs; all drivers for what is not declared.

    A dead run may have used others, by which something still runs in the slot, or which are noted there.
    """
    if name not in fleet.recipes:
        return host
    declared = {fleet.recipes[app].driver for app in apps_of(fleet.recipes[name], fleet.recipes)}
    slot = host.state.slot(name)
    running = {driver for driver, found in marks.items() if any(Path(mark).is_relative_to(slot) for mark in found)}
    return host.with_drivers(declared | running | host.state.drivers_of_slot(name))


def _empty(host: Host, name: str) -> list[str]:
    try:
        cleared = clear_leftovers(host, name)
    except BusyError:
        return []  # a trial or a raise that lives: its recipe is not tried, and its owner named
    except Exception as failed:  # noqa: BLE001  it hinders no other recipe
        return [f"{name}: what a dead run left cannot be removed now: {reason_of(failed)}"]
    return [f"{name}: a slot left by a dead run was removed"] if cleared else []


def _drop_moved_in(host: Host, intent: Intent) -> list[str]:
    """Delete the snapshot that a dead pass moved in and did not record.

    The slot of that pass still lies there. Without one, the pass came to its end and an older canon.db was put back:
    then the snapshot is a promoted one, and stays.
    """
    if not may_be_slot(host.state.slot(intent.recipe)):
        return []
    try:
        with suppress(LockHeldError), hold(host.state.slot_lock(intent.recipe), "recover"):
            delete_unrecorded(host, intent)
    except Exception as failed:  # noqa: BLE001  it hinders no other recipe
        return [f"{intent.recipe}: the snapshot of an undone promotion cannot be removed now: {reason_of(failed)}"]
    return []


def _close(host: Host, intent: Intent) -> list[str]:
    what = f"{intent.recipe}: the promotion of {intent.version}, begun by a dead pass,"
    try:
        abandon(host, intent, "the pass that began it died")
    except Exception as failed:  # noqa: BLE001  it hinders no other recipe
        return [f"{what} cannot be undone now: {reason_of(failed)}"]
    return [f"{what} was undone"]


def _prune(host: Host, fleet: Fleet, canonical: Canonical, records: Records) -> list[str]:
    recipe = fleet.recipes.get(canonical.recipe)
    try:
        if recipe is not None and host.state.generations(canonical.recipe).is_dir():
            memory = refresh_file_stats(
                host, canonical.recipe, records.memories.get(canonical.recipe, Memory(canonical.recipe))
            )
            prune(host, canonical, recipe.canonical.generations, memory)
    except Exception as failed:  # noqa: BLE001  it hinders no other recipe
        return [f"{canonical.recipe}: its older snapshots cannot be removed now: {reason_of(failed)}"]
    return []


def _drop_empty(host: Host, records: Records) -> list[str]:
    """Remove the folders that undone first promotions leave; there is nothing to tell of it."""
    folder = host.state.canonicals
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name not in records.canonicals:
            with suppress(OSError):  # whatever is no empty folder
                path.rmdir()
    return []


def _tidy_mirrors(host: Host) -> list[str]:
    """Remove the quarantines of dead runs: what they held is fetched anew, and there is nothing to tell of it."""
    host.mirrors.recover()
    return []


def _named(found: Sequence[Path], hint: str) -> list[str]:
    if not found:
        return []
    more = f" and {len(found) - NAMED_STRAYS} more" if len(found) > NAMED_STRAYS else ""
    names = ", ".join(map(str, found[:NAMED_STRAYS]))
    return [f"no record tells of {names}{more}: left as it is; {hint}"]
