"""Makes the drivers that a fleet and its state folder need. A driver that nobody needs is not loaded."""

from collections.abc import Collection, Mapping

from desired.model import Fleet
from reconciler.host.company import Company
from reconciler.host.processes.process_driver import ProcessDriver
from reconciler.ports.driver import Driver
from state.folder.folder import StateFolder


def drivers_for(
    fleet: Fleet, state: StateFolder, children: Mapping[str, str], lock: int | None, company: Company | None = None
) -> dict[str, Driver]:
    """Return the drivers by name: "process", those that recipes declare, and those that existing deployments need.

    * `children`: the environment of child processes.
    * `lock`: the descriptor of the pass lock, which child processes inherit; None if the lock is not held.
    * `company`: says which ports apps may use, and whether other recipes are tried at the same time; None if apps may
      use all ports, and no other recipe is tried at the same time.

    Raise OSError if the state folder cannot be read.
    """
    needed = {*_declared(fleet), *state.drivers_in_use()}
    if state.kept.is_dir() and any(state.kept.iterdir()):
        needed.add("swarm")
    return _make(needed, fleet, state, children, lock, company or Company())


def declared_drivers(fleet: Fleet, state: StateFolder, children: Mapping[str, str]) -> dict[str, Driver]:
    """Return the drivers by name: "process", and those that recipes declare. The state folder is not read.

    `children` is the environment of child processes.
    """
    return _make(_declared(fleet), fleet, state, children, None, Company())


def _declared(fleet: Fleet) -> set[str]:
    return {recipe.driver for recipe in fleet.recipes.values()}


def _make(  # noqa: PLR0913, PLR0917  what the drivers are made of
    needed: Collection[str],
    fleet: Fleet,
    state: StateFolder,
    children: Mapping[str, str],
    lock: int | None,
    company: Company,
) -> dict[str, Driver]:
    """Return "process" and the drivers that are named in `needed`. The others are as for `drivers_for`."""
    drivers: dict[str, Driver] = {"process": ProcessDriver(children, ports=company.ports)}
    if "swarm" in needed:
        from reconciler.host.swarm.engine.engine import Engine
        from reconciler.host.swarm.swarm_driver import SwarmDriver

        drivers["swarm"] = SwarmDriver(Engine(children, lock), fleet.swarm, company, state.image_log)
    if "abra" in needed:
        from reconciler.host.swarm.abra_command import Abra
        from reconciler.host.swarm.abra_driver import AbraDriver
        from reconciler.host.swarm.engine.engine import Engine

        engine, abra = Engine(children, lock), Abra(children, lock)
        drivers["abra"] = AbraDriver(engine, fleet.swarm, abra, company, state.image_log)
    return drivers


def tools_of(fleet: Fleet, drivers: Mapping[str, Driver]) -> set[str]:
    """Return the programs that the recipes of the fleet require, and those that their drivers run."""
    recipes = fleet.recipes.values()
    return {tool for recipe in recipes for tool in (*recipe.requires, *drivers[recipe.driver].programs)}
