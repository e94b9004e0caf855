"""Finishes or undoes what a pass that died has begun. Every pass does this first, without a person."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from desired.model import Fleet
from reconciler.core.generations import deletion_text
from reconciler.core.needs import apps_of
from reconciler.deploy.slot_lock import clear_leftovers
from reconciler.deploy.unmanaged_files import may_be_slot, unmanaged_files, unrecorded_snapshots
from reconciler.errors import BusyError, reason_of
from reconciler.ports.host import Host
from reconciler.promotion.generations import prune, refresh_file_stats
from reconciler.promotion.intents import abandon, delete_unrecorded
from reconciler.promotion.unwanted_deployments import undeploy_unwanted
from reconciler.stages.left_behind import marks_by_driver, recipes_with_slots
from state.folder.lock import hold
from state.records import Canonical, Intent, Memory, Records
from state.state_errors import LockHeldError, StateError

MOST_NAMED_PATHS = 5


def recover(host: Host, fleet: Fleet) -> tuple[str, ...]:
    """Clean up after passes that died. Return a remark for each thing that was done, or could not be done.

    A working folder that another process uses is left alone.
    """
    host.registry.flush()
    marks, remarks = marks_by_driver(host)
    all_marks = frozenset(mark for of_driver in marks.values() for mark in of_driver)
    records = host.registry.read()
    begun = {intent.recipe for intent in records.intents}
    remarks += [remark for intent in records.intents for remark in _delete_unrecorded_snapshot(host, intent)]
    remarks += _remarks_of(
        "the work folder", lambda: _clear_slots(host, fleet, recipes_with_slots(host, all_marks, begun), marks)
    )
    remarks += [remark for intent in records.intents for remark in _abandon(host, intent)]
    remarks += [
        remark for canonical in records.canonicals.values() for remark in _prune(host, fleet, canonical, records)
    ]
    remarks += _remarks_of("canonicals/", lambda: _remove_empty_folders(host, records))
    remarks += _remarks_of("mirrors/", lambda: _recover_mirrors(host))
    remarks += _remarks_of("kept/", lambda: undeploy_unwanted(host, fleet, records, {*all_marks}))
    hint = "move it away, or remove it if nobody needs it"
    remarks += _remarks_of("the state folder", lambda: _unmanaged_remark(unmanaged_files(host.state), hint))
    older = "if an older canon.db was put back, bring the newer one back; otherwise move it away"
    remarks += _remarks_of("canonicals/", lambda: _unmanaged_remark(unrecorded_snapshots(host, records), older))
    return (*_check_ledger(host), *remarks)


def recover_recipe(host: Host, fleet: Fleet, name: str) -> None:
    """Clean up the working folder and the unfinished promotion of one recipe, after a worker died.

    What cannot be done now is left to the next pass. Raise RegistryError if the registry cannot be read.
    """
    begun = [intent for intent in host.registry.read().intents if intent.recipe == name]
    for intent in begun:
        _delete_unrecorded_snapshot(host, intent)
    _clear_slot(_with_its_drivers(host, fleet, name, {}), name)
    for intent in begun:
        _abandon(host, intent)


def _remarks_of(place: str, clean_up: Callable[[], Iterable[str]]) -> list[str]:
    """Call `clean_up`, and return its remarks. If it raises an error, return one remark with `place` and the error.

    `place` names what is cleaned up.
    """
    try:
        return list(clean_up())
    except Exception as failed:  # noqa: BLE001  a remark reports it; the pass goes on
        return [f"{place}: cannot be cleaned up now: {reason_of(failed)}"]


def _check_ledger(host: Host) -> list[str]:
    """Return a list with a remark if the chain of hashes in the ledger is broken or cannot be checked; else []."""
    try:
        host.registry.verify()
    except Exception as broken:  # noqa: BLE001  no verdict depends on the ledger
        why = broken.message if isinstance(broken, StateError) else reason_of(broken)
        return [f"{why}: it decides no verdict, only which ways are tried; compare canon.db with a backup"]
    return []


def _clear_slots(host: Host, fleet: Fleet, names: Iterable[str], marks: Mapping[str, tuple[str, ...]]) -> list[str]:
    return [remark for name in names for remark in _clear_slot(_with_its_drivers(host, fleet, name, marks), name)]


def _with_its_drivers(host: Host, fleet: Fleet, name: str, marks: Mapping[str, tuple[str, ...]]) -> Host:
    """Return a copy of the host with only the drivers that the working folder of the recipe `name` needs.

    * the drivers of the recipe and of the recipes that it needs.
    * the drivers that are recorded in the slots of the working folder.
    * the drivers that still have something in these slots: an earlier run may have used other drivers than now.

    If the recipe is not declared, return the host with all drivers. `marks` are the marks of slots of which something
    is left, by driver.
    """
    if name not in fleet.recipes:
        return host
    declared = {fleet.recipes[app].driver for app in apps_of(fleet.recipes[name], fleet.recipes)}
    slot = host.state.slot(name)
    running = {driver for driver in marks if any(Path(mark).is_relative_to(slot) for mark in marks[driver])}
    return host.with_drivers(declared | running | host.state.drivers_of_slot(name))


def _clear_slot(host: Host, name: str) -> list[str]:
    """Clear the slots that a dead run of the recipe `name` left.

    Return a list with one remark: that a slot was removed, or why this failed. Return [] if there was nothing to clear,
    or if another process uses the recipe's working folder.
    """
    try:
        cleared = clear_leftovers(host, name)
    except BusyError:
        return []  # in use: this pass does not try the recipe, and names the owner
    except Exception as failed:  # noqa: BLE001  other recipes go on
        return [f"{name}: what a dead run left cannot be removed now: {reason_of(failed)}"]
    return [f"{name}: a slot left by a dead run was removed"] if cleared else []


def _delete_unrecorded_snapshot(host: Host, intent: Intent) -> list[str]:
    """Delete the snapshot that a dead pass, which left `intent`, moved to canonicals/ but did not record.

    Return a list with a remark if the snapshot cannot be deleted; else []. The snapshot stays in two more cases:

    * another process uses the recipe's working folder.
    * the working folder is gone: then the promotion was finished, and a person has put back an older canon.db since.
    """
    if not may_be_slot(host.state.slot(intent.recipe)):
        return []
    try:
        with suppress(LockHeldError), hold(host.state.slot_lock(intent.recipe), "recover"):
            delete_unrecorded(host, intent)
    except Exception as failed:  # noqa: BLE001  other recipes go on
        return [f"{intent.recipe}: the snapshot of an undone promotion cannot be removed now: {reason_of(failed)}"]
    return []


def _abandon(host: Host, intent: Intent) -> list[str]:
    """Undo a promotion or rollback that a dead run has begun. Return a remark that says so, or why this failed."""
    kind, run = ("promotion of", "pass") if intent.copy_of is None else ("rollback to", "command")
    what = f"{intent.recipe}: the {kind} {intent.version}, begun by a dead {run},"
    try:
        abandon(host, intent, f"the {run} that began it died")
    except Exception as failed:  # noqa: BLE001  other recipes go on
        return [f"{what} cannot be undone now: {reason_of(failed)}"]
    return [f"{what} was undone"]


def _prune(host: Host, fleet: Fleet, canonical: Canonical, records: Records) -> list[str]:
    """Delete the snapshots of the oldest generations, beyond the number that the recipe keeps.

    Return a remark on those that were deleted, and one if a snapshot cannot be deleted. If the recipe is not declared,
    do nothing.
    """
    name, recipe, deleted = canonical.recipe, fleet.recipes.get(canonical.recipe), list[Canonical]()
    if recipe is None:
        return []
    keep, remarks = recipe.canonical.generations, list[str]()
    try:
        if host.state.generations(name).is_dir():
            memory = refresh_file_stats(host, name, records.memories.get(name, Memory(name)))
            deleted.extend(prune(host, name, keep, memory))
    except Exception as failed:  # noqa: BLE001  other recipes go on
        remarks.append(f"{name}: its older snapshots cannot be removed now: {reason_of(failed)}")
    return [deletion_text(deleted, keep, is_done=True), *remarks] if deleted else remarks


def _remove_empty_folders(host: Host, records: Records) -> list[str]:
    """Remove the empty folders in canonicals/ that first promotions left when they were undone.

    Return [], since no remark is needed.
    """
    folder = host.state.canonicals
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name not in records.canonicals:
            with suppress(OSError):  # not an empty folder
                path.rmdir()
    return []


def _recover_mirrors(host: Host) -> list[str]:
    """Remove the temporary repositories of fetches that did not finish. Return [], since no remark is needed.

    What these fetches had got already is fetched again by a later fetch.
    """
    host.mirrors.recover()
    return []


def _unmanaged_remark(paths: Sequence[Path], hint: str) -> list[str]:
    """Return a list with a remark that names the first few of `paths` and ends with `hint`; [] if `paths` is empty."""
    if not paths:
        return []
    more = f" and {len(paths) - MOST_NAMED_PATHS} more" if len(paths) > MOST_NAMED_PATHS else ""
    names = ", ".join(map(str, paths[:MOST_NAMED_PATHS]))
    return [f"no record mentions {names}{more}: left as it is; {hint}"]
