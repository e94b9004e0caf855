"""Everything that a pass needs from this host, in one value."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol

from attrs import evolve, frozen

from reconciler.ports.app_secrets import Secrets
from reconciler.ports.attestation import Attestor
from reconciler.ports.commands import Commands
from reconciler.ports.disk import Disk
from reconciler.ports.driver import Driver, Readiness
from reconciler.ports.images import Images
from reconciler.ports.repositories import Mirrors, TeamForge, Upstream
from reconciler.ports.storage import Registry, Snapshots
from state.folder.folder import StateFolder
from state.records import Place


class Clock(Protocol):
    """Reads the clocks of this host."""

    def now(self) -> datetime:
        """Return the present time, in UTC."""

    def monotonic(self) -> float:
        """Return the seconds of a clock that never goes back, to measure durations."""


class Progress(Protocol):
    """Shows a person what a pass is doing."""

    def step(self, recipe: str, doing: str, last_seconds: float | None = None) -> None:
        """Show what is being done for a recipe now. `doing` says it in a few words.

        `last_seconds` is how long the recipe's last trial took; None if unknown.
        """

    def done(self, recipe: str, result: str) -> None:
        """Show that what was done for a recipe has ended. `result` says how, such as "red: REASON"."""


@frozen
class Host:
    """Everything that a pass needs from this host, and facts that do not change during a pass.

    * `drivers`: the drivers by name.
    * `place`: this host and its tools.
    * `canon`: the revision of this program.
    * `fleet`: the revision of the fleet folder.
    * `state`: the paths of the state folder.
    * `pass_id`: the id of the pass, or of the command that uses this host.
    * `forge`: the team's forge; None if the fleet declares none.
    * `attestor`: what makes statements about promotions for other programs; None if no statements are made.
    * `disk`: what measures the disk; None if the disk is not measured.
    * `images`: what removes container images; None if no images are removed.
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
    forge: TeamForge | None = None
    attestor: Attestor | None = None
    disk: Disk | None = None
    images: Images | None = None

    def with_drivers(self, drivers: Collection[str]) -> "Host":
        """Return a copy of this host with only those drivers that `drivers` names, so that no other driver can fail."""
        return evolve(self, drivers={name: driver for name, driver in self.drivers.items() if name in drivers})
