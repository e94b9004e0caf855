"""What a command is given: its options, the declarations, and the state folder. No driver is loaded here."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from attrs import frozen

from desired.declarations.declared import read_fleet
from desired.model import Fleet
from reconciler.cli.options import Options
from reconciler.errors import NoFleetError, UsageError
from state.folder.fleet_name import record_fleet_name, require_fleet
from state.folder.folder import StateFolder
from state.folder.identity import make_identity
from state.folder.lock import Lock, hold
from state.registry.registry import SqliteRegistry
from state.state_errors import StateError


@frozen
class CommandContext:
    """What every command is given.

    * `fleet`: the declarations.
    * `state`: the paths of the state folder.
    * `names`: the recipes to work on: the recipes named by -r; without -r, all declared recipes.
    """

    options: Options
    fleet: Fleet
    state: StateFolder
    names: tuple[str, ...]


def load_context(options: Options) -> CommandContext:
    """Read the declarations. Return what every command is given (see CommandContext).

    Raise DeclarationError or NoFleetError if the declarations cannot be read. Raise ForeignFolderError if the state
    folder has files that Canon did not make, OtherFleetError if it belongs to another fleet. Raise UsageError if -r
    names a recipe that is not declared.
    """
    fleet = load_fleet(options.fleet_folder)
    chosen = sorted(set(options.recipes)) or list(fleet.recipes)
    context = CommandContext(options, fleet, StateFolder(options.state_folder.absolute()), tuple(chosen))
    context.state.require_state_folder()
    require_fleet(context.state.fleet_name, fleet.name, fleet.folder)
    for name in options.recipes:
        require_declared(context, name)
    return context


def load_fleet(folder: Path) -> Fleet:
    """Read the declarations in the fleet folder. Raise DeclarationError, or NoFleetError if the folder is missing."""
    if not os.path.lexists(folder):
        raise NoFleetError(str(folder))
    return read_fleet(folder)


def require_declared(context: CommandContext, name: str) -> None:
    """Raise UsageError if the recipe `name` is not declared.

    If the recipe is recorded but no longer declared (an orphan), the hint of the error names the commands for that.
    Otherwise the hint names the declared recipe with the most similar name, or all declared recipes.
    """
    fleet = context.fleet
    if name in fleet.recipes:
        return
    if _is_orphan(context, name):
        hint = f"see it: reconcile status {name}; drop it: reconcile forget {name} --reason …"
        raise UsageError(f"{name} is recorded, but no longer declared in {fleet.folder}", hint)
    import difflib

    near = difflib.get_close_matches(name, fleet.recipes, 1)
    hint = f"did you mean {near[0]}?" if near else f"declared are: {', '.join(fleet.recipes) or 'none'}"
    raise UsageError(f"no recipe {name} in {fleet.folder}", hint)


def _is_orphan(context: CommandContext, name: str) -> bool:
    """Return whether the recipe `name`, which is not declared, has a canonical.

    Return False if the registry cannot be read.
    """
    with suppress(StateError):
        return name in SqliteRegistry(context.state.database).read().canonicals
    return False


def prepare_state(context: CommandContext) -> None:
    """Make the state folder, and the files with its id and the name of its fleet, if they are missing.

    Programs that Canon starts get the id in their environment, by which a later run recognises them. Raise
    OtherFleetError if another fleet got the state folder meanwhile.
    """
    context.state.create()
    record_fleet_name(context.state.fleet_name, context.fleet.name, context.fleet.folder)
    make_identity(context.state.identity)


@contextmanager
def pass_lock(context: CommandContext, command: str) -> Iterator[Lock]:
    """Hold the pass lock during the `with` block. Make the state folder if it is missing.

    `command` is written into the lock file, for the messages of other processes. Raise LockHeldError if another process
    holds the lock.
    """
    prepare_state(context)
    with hold(context.state.lock, command) as lock:
        yield lock
