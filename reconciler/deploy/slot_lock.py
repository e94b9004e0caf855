"""Locks a recipe's working folder, and clears it of what a killed process left there."""

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
    """Lock work/NAME and yield it, cleared of leftovers; remove all of it at the end.

    `command` is shown to others as the owner. Raises BusyError, which names the owner, if the folder is locked.
    """
    try:
        with _locked(host, recipe, command) as folder:
            yield folder
    except LockHeldError as held:
        raise BusyError(f"{recipe}: its slot is in use: {held}", held.hint) from held


@contextmanager
def _locked(host: Host, recipe: str, command: str) -> Iterator[Path]:
    folder = host.state.make_slot(recipe)
    _require_slot(host, recipe)
    with hold(host.state.slot_lock(recipe), command):
        try:
            _clear_all(host, recipe)
            yield folder
        finally:
            _remove_despite_signal(host, recipe)


def _require_slot(host: Host, recipe: str) -> None:
    """Raise InfrastructureError if work/NAME is not Canon's: a locked slot is cleared of everything in it.

    A slot that lost its lock file is recognised by what runs in it, or by an open promotion of its recipe.
    """
    folder = host.state.slot(recipe)
    if is_slot(folder) or _marks(host, recipe) or recipe in {each.recipe for each in host.registry.read().intents}:
        return
    first = min(path.name for path in folder.iterdir())
    raise InfrastructureError(f"{folder} holds {first}, which Canon did not make", "move that folder away")


def _remove_despite_signal(host: Host, recipe: str) -> None:
    """Remove work/NAME; a signal during that takes effect once the folder is removed."""
    try:
        _remove(host, recipe)
    except InterruptedPassError:
        _remove(host, recipe)
        raise


def _remove(host: Host, recipe: str) -> None:
    """Remove work/NAME. A failure is only reported as progress: the next pass tries again, and names what is left."""
    try:
        remaining = _clear(host, recipe)
    except Exception as failed:  # noqa: BLE001  the next pass tries again
        host.progress.step(recipe, f"not all of its slot could be removed: {reason_of(failed)}")
        return
    if remaining:
        return
    with suppress(OSError):  # the next owner may be in it already
        # The lock file goes last: a folder without it would not be recognised as a slot.
        host.state.slot_lock(recipe).unlink()
        host.state.slot(recipe).rmdir()


def clear_leftovers(host: Host, recipe: str) -> bool:
    """Remove everything that a killed process left in a recipe's slots; returns whether there was anything.

    Raises BusyError if the owner is alive.
    """
    has_leftovers = bool(_entries(host.state, recipe) or _marks(host, recipe))
    with lock_slot(host, recipe, "recover"):
        return has_leftovers


def _clear_all(host: Host, recipe: str) -> None:
    """End and remove all apps and files of the slots in work/NAME, except its lock file.

    Raises InfrastructureError if something is left: new apps may not run beside old ones.
    """
    remaining = _clear(host, recipe)
    if remaining:
        raise InfrastructureError(f"what a dead run left in its slot cannot be removed: {', '.join(remaining)}")


def _clear(host: Host, recipe: str) -> tuple[str, ...]:
    """Remove all in work/NAME but its lock, and return what could not be removed.

    Raises InfrastructureError if a driver that deployed there is not among the host's.
    """
    if unknown := host.state.drivers_of_slot(recipe) - {*host.drivers}:
        raise InfrastructureError(
            f"{recipe}: its slot has what a dead run deployed by the {min(unknown)} driver, which is not asked here",
            "the next pass removes it",
        )
    remaining = tuple(name for driver, mark in _marks(host, recipe) for name in driver.clear(mark).remaining)
    for path in _entries(host.state, recipe):
        remove_tree(path)
    return remaining


def _entries(state: StateFolder, recipe: str) -> list[Path]:
    return [path for path in state.slot(recipe).glob("*") if path != state.slot_lock(recipe)]


def _marks(host: Host, recipe: str) -> list[tuple[Driver, str]]:
    """Return the marks of all slots below work/NAME of which anything is left, each with its driver."""
    slot = host.state.slot(recipe)
    return [(driver, mark) for driver in host.drivers.values() for mark in driver.leftovers(slot)]
