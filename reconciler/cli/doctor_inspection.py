"""What the checks of `reconcile doctor` look at: fleet, state folder, environments and the systemd unit."""

import os
from collections.abc import Mapping

from attrs import frozen

from desired.model import Fleet
from reconciler.cli.drivers import declared_drivers, tools_of
from reconciler.errors import NotCheckedError
from reconciler.host import systemd_units as systemd
from reconciler.host.environment import ALWAYS_USED, child_environment
from state.folder.folder import StateFolder
from state.records import Records
from state.registry.registry import SqliteRegistry
from state.state_errors import StateError

USUAL_UNIT = "reconcile.service"


@frozen
class Inspection:
    """What the checks of `reconcile doctor` look at.

    * `environment`: the environment of child processes, as this shell makes it.
    * `tools`: the programs that recipes and drivers need, and the programs that are always used.
    * `unit`: the name of the systemd unit in which passes run.
    * `service`: the unit's properties by name; the error if systemd could not be asked.
    * `records`: all records; empty if the registry cannot be read.
    """

    fleet: Fleet
    state: StateFolder
    environment: Mapping[str, str]
    tools: frozenset[str]
    unit: str
    service: systemd.Properties | NotCheckedError
    records: Records


def inspect(fleet: Fleet, state: StateFolder) -> Inspection:
    """Read and return everything that the checks look at, of the fleet, its state folder and this host."""
    environment = child_environment(fleet.passes, os.environ, state.root)
    tools = tools_of(fleet, declared_drivers(fleet, state, environment))
    unit = fleet.unit or USUAL_UNIT
    return Inspection(
        fleet=fleet,
        state=state,
        environment=environment,
        tools=frozenset({*tools, *ALWAYS_USED}),
        unit=unit,
        service=_service(unit, environment),
        records=_readable_records(state),
    )


def _service(unit: str, environment: Mapping[str, str]) -> systemd.Properties | NotCheckedError:
    """Return the properties of the systemd unit `unit`, or the error if systemd could not be asked.

    `environment` is the environment of the program that asks systemd.
    """
    try:
        return systemd.read_service(unit, environment)
    except NotCheckedError as unasked:
        return unasked


def _readable_records(state: StateFolder) -> Records:
    """Return all records; empty ones if they cannot be read, which the check of the state folder reports."""
    try:
        return SqliteRegistry(state.database).read()
    except StateError:
        return Records()
