"""Locks the working folder of a recipe, work/NAME, and clears what a killed process has left in it."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from reconciler.errors import BusyError, InfrastructureError, InterruptedPassError, reason_of
from reconciler.ports.driver import Driver
from reconciler.ports.host import Host
from state.folder.durable import remove_tree
from state.folder.folder import StateFolder, is_slot
from state.folder.lock import hold
from state.state_errors import LockHeldError


@contextmanager
def lock_slot(host: Host, recipe: str, command: str) -> Iterator[Path]:
    """Lock a recipe's working folder, empty it, and yield its path. Remove the folder at the end.

    `command` is written into the lock file: other processes that find the lock held name it in their error. If another
    process holds the lock, raise BusyError, which names that process's command. Raise InfrastructureError if Canon did
    not make the folder, or cannot empty it.
    """
    try:
        with _locked(host, recipe, command) as folder:
            yield folder
    except LockHeldError as held:
        raise BusyError(f"{recipe}: its slot is in use: {held}", held.hint, host.state.slot_lock(recipe)) from held


@contextmanager
def _locked(host: Host, recipe: str, command: str) -> Iterator[Path]:
    """Lock and empty the working folder of `recipe`, and yield its path. Remove it at the end of the `with` block.

    `command` is written into the lock file, for the messages of other processes. Raise LockHeldError if another process
    holds the lock.
    """
    folder = host.state.make_slot(recipe)
    _require_slot(host, recipe)
    with hold(host.state.slot_lock(recipe), command):
        try:
            _clear_all(host, recipe)
            yield folder
        finally:
            _remove_despite_signal(host, recipe)


def _require_slot(host: Host, recipe: str) -> None:
    """Raise InfrastructureError if Canon did not make the recipe's working folder, since Canon would delete it later.

    Canon made the folder if it has a lock file, if apps run in it, or if the recipe has an open intent.
    """
    folder = host.state.slot(recipe)
    if is_slot(folder) or _marks(host, recipe):
        return
    if recipe in {intent.recipe for intent in host.registry.read().intents}:
        return
    first = min(path.name for path in folder.iterdir())
    raise InfrastructureError(f"{folder} holds {first}, which Canon did not make", "move that folder away")


def _remove_despite_signal(host: Host, recipe: str) -> None:
    """Remove the recipe's working folder. If a signal interrupts that, begin anew, and then raise its error again."""
    try:
        _remove(host, recipe)
    except InterruptedPassError:
        _remove(host, recipe)
        raise


def _remove(host: Host, recipe: str) -> None:
    """Remove the recipe's working folder with everything in it.

    If something cannot be removed, the folder and its lock file stay, and the next pass tries again. Raise no error,
    but show the failure as progress.
    """
    try:
        remaining = _clear(host, recipe)
    except Exception as failed:  # noqa: BLE001  the next pass tries again
        host.progress.step(recipe, f"its slot could not be removed completely: {reason_of(failed)}")
        return
    if remaining:
        return
    with suppress(OSError):  # the next owner may use the folder already
        # The lock file goes last: a folder without it would not be recognised as a slot.
        host.state.slot_lock(recipe).unlink()
        host.state.slot(recipe).rmdir()


def clear_leftovers(host: Host, recipe: str) -> bool:
    """Remove what a killed process has left in the slots of a recipe. Return whether there was anything to remove.

    Raise BusyError if another process holds the lock of the recipe's working folder.
    """
    has_leftovers = bool(_entries(host.state, recipe) or _marks(host, recipe))
    with lock_slot(host, recipe, "recover"):
        return has_leftovers


def _clear_all(host: Host, recipe: str) -> None:
    """Remove all apps and files in the recipe's working folder, except its lock file.

    Raise InfrastructureError if something cannot be removed, because new apps must not run beside old ones.
    """
    remaining = _clear(host, recipe)
    if remaining:
        raise InfrastructureError(f"what a dead run left in its slot cannot be removed: {', '.join(remaining)}")


def _clear(host: Host, recipe: str) -> tuple[str, ...]:
    """Remove all apps and files in the recipe's working folder, except its lock file.

    Return the names of what could not be removed. Raise InfrastructureError if something in the folder was deployed by
    a driver that `host` does not have.
    """
    if unknown := host.state.drivers_of_slot(recipe) - {*host.drivers}:
        raise InfrastructureError(
            f"{recipe}: a dead run deployed in its slot with the {min(unknown)} driver, which is not used now",
            "the next pass removes it",
        )
    remaining = tuple(name for driver, mark in _marks(host, recipe) for name in driver.clear(mark).remaining)
    for path in _entries(host.state, recipe):
        remove_tree(path)
    return remaining


def _entries(state: StateFolder, recipe: str) -> list[Path]:
    """Return the paths of the files and folders in the recipe's working folder, without its lock file."""
    return [path for path in state.slot(recipe).glob("*") if path != state.slot_lock(recipe)]


def _marks(host: Host, recipe: str) -> list[tuple[Driver, str]]:
    """Return what is left of the slots in the recipe's working folder, as pairs (driver, mark of a slot).

    There is a pair for each driver and each slot, if the driver finds processes or objects with the mark of that slot.
    Return [] if nothing is left.
    """
    slot = host.state.slot(recipe)
    return [(driver, mark) for driver in host.drivers.values() for mark in driver.leftovers(slot)]
