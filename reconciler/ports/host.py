"""All ports of a host together."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol

from attrs import evolve, frozen

from reconciler.ports.app_secrets import Secrets
from reconciler.ports.commands import Commands
from reconciler.ports.driver import Driver, Readiness
from reconciler.ports.repositories import Mirrors, Upstream
from reconciler.ports.storage import Registry, Snapshots
from state.folder.folder import StateFolder
from state.records import Place


class Clock(Protocol):
    """The time: `now` has the time zone UTC, `monotonic` counts seconds and never goes back."""

    def now(self) -> datetime: ...

    def monotonic(self) -> float: ...


class Progress(Protocol):
    """Shows what a pass is doing."""

    def step(self, recipe: str, doing: str, last_seconds: float | None = None) -> None: ...

    def done(self, recipe: str, result: str) -> None: ...


@frozen
class Host:
    """All ports, and the facts that are fixed before a pass starts.

    `canon` and `fleet` are the revisions of this program and of the fleet folder.
    """

    clock: Clock
    upstream: Upstream
    mirrors: Mirrors
    drivers: Mapping[str, Driver]
    secrets: Secrets
    commands: Commands
    readiness: Readiness
    registry: Registry
    snapshots: Snapshots
    progress: Progress
    place: Place
    canon: str
    fleet: str
    state: StateFolder
    pass_id: str

    def with_drivers(self, drivers: Collection[str]) -> "Host":
        """Return this host with these drivers alone, so that another driver's failure cannot disturb."""
        return evolve(self, drivers={name: driver for name, driver in self.drivers.items() if name in drivers})
