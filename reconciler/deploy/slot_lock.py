"""Owns a recipe's working folder for a while, through a lock, and clears it of what a dead owner left."""

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
    """Own work/NAME for a while: what a dead owner left there is removed first, and all of it at the end.

    Raises BusyError, naming the owner, where somebody else holds it.
    """
    try:
        with _owned(host, recipe, command) as folder:
            yield folder
    except LockHeldError as held:
        raise BusyError(f"{recipe}: its slot is in use: {held}", held.hint) from held


@contextmanager
def _owned(host: Host, recipe: str, command: str) -> Iterator[Path]:
    folder = host.state.make_slot(recipe)
    _require_slot(host, recipe)
    with hold(host.state.slot_lock(recipe), command):
        try:
            _clear_wholly(host, recipe)
            yield folder
        finally:
            _leave(host, recipe)


def _require_slot(host: Host, recipe: str) -> None:
    """Raise InfrastructureError where work/NAME is somebody's folder: what holds our lock is cleared of all it holds.

    A slot of which the lock is lost is known by what runs in it, or by a promotion that was begun there.
    """
    folder = host.state.slot(recipe)
    if is_slot(folder) or _marks(host, recipe) or recipe in {each.recipe for each in host.registry.read().intents}:
        return
    held = min(path.name for path in folder.iterdir())
    raise InfrastructureError(f"{folder} holds {held}, which Canon did not make", "move that folder away")


def _leave(host: Host, recipe: str) -> None:
    """Remove all of work/NAME; a signal that comes meanwhile is heeded once nothing is left."""
    try:
        _remove(host, recipe)
    except InterruptedPassError:
        _remove(host, recipe)
        raise


def _remove(host: Host, recipe: str) -> None:
    """What will not go now decides nothing of what was done here: the next pass tries again, and names it."""
    try:
        left = _clear(host, recipe)
    except Exception as failed:  # noqa: BLE001  as above
        host.progress.step(recipe, f"not all of its slot would go: {reason_of(failed)}")
        return
    if left:
        return
    with suppress(OSError):  # the next owner may be in it already
        # The lock goes last: without it, what is left would be somebody's folder.
        host.state.slot_lock(recipe).unlink()
        host.state.slot(recipe).rmdir()


def clear_leftovers(host: Host, recipe: str) -> bool:
    """End and delete all that a dead owner left of a recipe's slots; tells whether there was anything.

    Raises BusyError where the owner lives.
    """
    found = bool(_lying(host.state, recipe) or _marks(host, recipe))
    with lock_slot(host, recipe, "recover"):
        return found


def _clear_wholly(host: Host, recipe: str) -> None:
    """Raises InfrastructureError where something of a dead owner's will not go: nobody can work beside it."""
    left = _clear(host, recipe)
    if left:
        raise InfrastructureError(f"of a slot that a dead run left, this will not go: {', '.join(left)}")


def _clear(host: Host, recipe: str) -> tuple[str, ...]:
    """Names what would not go. Raises InfrastructureError where a driver that deployed some of it is not asked."""
    if unasked := host.state.drivers_of_slot(recipe) - {*host.drivers}:
        raise InfrastructureError(
            f"{recipe}: its slot has what a dead run deployed by the {min(unasked)} driver, which is not asked here",
            "the next pass removes it",
        )
    left = tuple(name for driver, mark in _marks(host, recipe) for name in driver.clear(mark).remaining)
    for path in _lying(host.state, recipe):
        remove_tree(path)
    return left


def _lying(state: StateFolder, recipe: str) -> list[Path]:
    return [path for path in state.slot(recipe).glob("*") if path != state.slot_lock(recipe)]


def _marks(host: Host, recipe: str) -> list[tuple[Driver, str]]:
    slot = host.state.slot(recipe)
    return [(driver, mark) for driver in host.drivers.values() for mark in driver.leftovers(slot)]
