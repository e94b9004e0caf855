"""Finishes or undoes what a dead pass left, first thing in every pass. Never needs a person."""

from desired.model import Fleet
from reconciler.errors import BusyError
from reconciler.ports import Host
from reconciler.promote import close_intent, prune
from reconciler.reservation import clear_leftovers
from state.model import Intent


def recover(host: Host, fleet: Fleet) -> tuple[str, ...]:
    """Returns what was found and done, one remark each. Slots that somebody owns are left alone."""
    host.registry.settle()
    remarks = [remark for name in _occupied(host) for remark in _empty(host, name)]
    records = host.registry.read()
    remarks += [_close(host, intent) for intent in records.intents]
    for name, canonical in records.canonicals.items():
        recipe = fleet.recipes.get(name)
        if recipe is not None and host.state.generations(name).is_dir():
            prune(host, canonical, recipe.canonical.generations)
    return tuple(remarks)


def _occupied(host: Host) -> list[str]:
    """Recipes of which anything lies or runs below the work folder."""
    work = host.state.work
    folders = {path.name for path in work.iterdir() if path.is_dir()} if work.is_dir() else set()
    marks = {mark for driver in host.drivers.values() for mark in driver.leftovers(work)}
    prefix = f"{work}/"
    return sorted(folders | {mark.removeprefix(prefix).split("/")[0] for mark in marks if mark.startswith(prefix)})


def _empty(host: Host, name: str) -> list[str]:
    try:
        cleared = clear_leftovers(host, name)
    except BusyError:
        return []  # a trial or a raise that lives: its recipe is not tried, and its owner named
    return [f"{name}: a slot left by a dead run was removed"] if cleared else []


def _close(host: Host, intent: Intent) -> str:
    close_intent(host, intent, "the pass that began it died")
    return f"{intent.recipe}: the promotion of {intent.version}, begun by a dead pass, was undone"
