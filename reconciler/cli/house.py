"""The sole maker of a real host: every port with its real answer."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from attrs import frozen

from desired.declared import read_fleet
from desired.model import Fleet
from reconciler.cli.failures import UsageError
from reconciler.cli.options import Options
from reconciler.errors import InterruptedPassError
from reconciler.host.commands import HostCommands, SystemClock
from reconciler.host.environment import canon_revision, child_environment, fleet_revision, place
from reconciler.host.mirrors import GitMirrors
from reconciler.host.process import ProcessDriver
from reconciler.host.ready import HostReadiness
from reconciler.host.run import prepare
from reconciler.host.secrets import HostSecrets
from reconciler.host.upstream import GitUpstream
from reconciler.ports import Host
from reconciler.show.progress import progress
from state.folder import StateFolder
from state.registry import SqliteRegistry
from state.snapshots import SealedSnapshots


@frozen
class House:
    """What one command works with: the declarations, the state folder, the recipes asked for."""

    options: Options
    fleet: Fleet
    state: StateFolder
    names: tuple[str, ...]


def open_house(options: Options) -> House:
    """Read the declarations. Raises DeclarationError, or UsageError for a recipe that is not declared."""
    fleet = read_fleet(options.fleet_folder)
    for name in options.recipes:
        require(fleet, name)
    chosen = sorted(set(options.recipes)) or list(fleet.recipes)
    return House(options, fleet, StateFolder(options.state_folder.absolute()), tuple(chosen))


def require(fleet: Fleet, name: str) -> None:
    """Raise UsageError, with the nearest name, unless `name` is declared."""
    if name in fleet.recipes:
        return
    import difflib

    near = difflib.get_close_matches(name, fleet.recipes, 1)
    hint = f"did you mean {near[0]}" if near else f"declared are: {', '.join(fleet.recipes) or 'none'}"
    raise UsageError(f"no recipe {name} in {fleet.folder}", hint)


def make_host(house: House, pass_id: str, lock: int | None = None) -> Host:
    """`lock` is the descriptor of the pass lock, which finite mutating commands inherit; None where none is held."""
    prepare()
    fleet, state = house.fleet, house.state
    tools = sorted({tool for recipe in fleet.recipes.values() for tool in recipe.requires})
    children = child_environment(fleet.passes, os.environ)
    return Host(
        clock=SystemClock(),
        upstream=GitUpstream(children, fleet.protocols),
        mirrors=GitMirrors(state.mirrors, children, fleet.protocols, lock),
        drivers={"process": ProcessDriver(children)},
        secrets=HostSecrets(children),
        commands=HostCommands(children, state.root),
        readiness=HostReadiness(),
        registry=SqliteRegistry(state.database),
        snapshots=SealedSnapshots(),
        progress=progress(quiet=house.options.quiet, verbose=house.options.verbose),
        place=place(tools, fleet.passes, os.environ),
        canon=canon_revision(),
        fleet=fleet_revision(fleet.folder),
        work=state.work,
        canonicals=state.canonicals,
        logs=state.logs,
        pass_id=pass_id,
    )


@contextmanager
def stoppable() -> Iterator[None]:
    """Within, the first SIGINT or SIGTERM raises InterruptedPassError; a second one does too, and ends the clearing up."""

    def stop(number: int, _: FrameType | None) -> None:
        raise InterruptedPassError(number)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def state_of(house: House) -> Path:
    """The state folder, made where it is missing; only for commands that write."""
    house.state.create()
    return house.state.root
