"""Finishes or undoes what a dead pass left, first thing in every pass. Never needs a person."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path

from desired.model import Fleet
from desired.values import is_recipe_name
from reconciler.errors import BusyError, InfrastructureError
from reconciler.generations import note_looks, prune
from reconciler.keeping import let_go_of_others
from reconciler.ports import Host
from reconciler.promote import close_intent
from reconciler.reservation import clear_leftovers
from reconciler.strays import may_be_slot, strays, unrecorded
from state.errors import StateError
from state.folder import is_slot
from state.model import Intent, Memory, Records

NAMED_STRAYS = 5


def recover(host: Host, fleet: Fleet) -> tuple[str, ...]:
    """Returns what was found and done, one remark each. Slots that somebody owns are left alone."""
    host.registry.settle()
    marks, remarks = _marked(host)
    records = host.registry.read()
    begun = {intent.recipe for intent in records.intents}
    remarks += [remark for name in _occupied(host, marks, begun) for remark in _empty(host, name)]
    remarks += [_close(host, intent) for intent in records.intents]
    for name, canonical in records.canonicals.items():
        recipe = fleet.recipes.get(name)
        if recipe is not None and host.state.generations(name).is_dir():
            memory = note_looks(host, name, records.memories.get(name, Memory(name)))
            prune(host, canonical, recipe.canonical.generations, memory)
    _drop_empty(host, records)
    remarks += let_go_of_others(host, fleet, records, marks)
    of_canonicals = "if an older canon.db was put back, bring the newer one back; otherwise move it away"
    return (
        *_ledger(host),
        *remarks,
        *_named(strays(host.state), "move it away, or remove it if nobody needs it"),
        *_named(unrecorded(host, records), of_canonicals),
    )


def _ledger(host: Host) -> list[str]:
    """A word where the ledger's chain is broken: canonicals do not rest on it, and the pass goes on."""
    try:
        host.registry.verify()
    except StateError as broken:
        return [f"{broken.message}: nothing is decided by it; compare canon.db with a backup"]
    return []


def _marked(host: Host) -> tuple[set[str], list[str]]:
    """Marks of everything that runs below the state folder, and which drivers could not tell theirs."""
    marks: set[str] = set()
    remarks: list[str] = []
    for name, driver in host.drivers.items():
        try:
            marks |= {*driver.leftovers(host.state.root)}
        except InfrastructureError as failed:
            remarks.append(f"what a dead run may have left to the {name} driver is not known: {failed.message}")
    return marks, remarks


def _occupied(host: Host, marks: Collection[str], begun: Collection[str]) -> list[str]:
    """Recipes of which anything lies or runs below the work folder; of those `begun`, the lock may be lost."""
    work = host.state.work
    there = [path for path in work.iterdir() if may_be_slot(path)] if work.is_dir() else []
    folders = {path.name for path in there if is_slot(path) or path.name in begun}
    prefix = f"{work}/"
    marked = {mark.removeprefix(prefix).split("/")[0] for mark in marks if mark.startswith(prefix)}
    return sorted(folders | {name for name in marked if is_recipe_name(name)})


def _empty(host: Host, name: str) -> list[str]:
    try:
        cleared = clear_leftovers(host, name)
    except BusyError:
        return []  # a trial or a raise that lives: its recipe is not tried, and its owner named
    except InfrastructureError as failed:
        return [f"{name}: what a dead run left cannot be removed now: {failed.message}"]
    return [f"{name}: a slot left by a dead run was removed"] if cleared else []


def _close(host: Host, intent: Intent) -> str:
    close_intent(host, intent, "the pass that began it died")
    return f"{intent.recipe}: the promotion of {intent.version}, begun by a dead pass, was undone"


def _drop_empty(host: Host, records: Records) -> None:
    """Remove the folders that undone first promotions leave."""
    folder = host.state.canonicals
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name not in records.canonicals:
            with suppress(OSError):  # whatever is no empty folder
                path.rmdir()


def _named(found: Sequence[Path], hint: str) -> list[str]:
    if not found:
        return []
    more = f" and {len(found) - NAMED_STRAYS} more" if len(found) > NAMED_STRAYS else ""
    names = ", ".join(map(str, found[:NAMED_STRAYS]))
    return [f"no record tells of {names}{more}: left as it is; {hint}"]
