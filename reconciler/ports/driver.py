"""How apps run, and how to wait until they are ready."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from desired.model import Ready
from reconciler.ports.app import (
    App,
    AppStatus,
    DeployedParts,
    DeployOptions,
    EndedPart,
    RemovalResult,
    RunningApp,
    Unready,
)
from reconciler.ports.app_secrets import SecretNeed
from reconciler.ports.commands import RecipeCommand


class Changes(Protocol):
    """Reports changes of an app while a caller waits for it."""

    def wait(self, seconds: float) -> bool:
        """Wait until something may have changed, at most `seconds`. Return whether something changed."""


class Driver(Protocol):
    """Deploys, stops, saves and removes apps. Knows nothing of tiers, snapshots or readiness checks.

    `programs` are the programs that the driver runs. Their versions are part of the place.
    """

    programs: tuple[str, ...]

    def needs(self, app: App, checkout: Path, options: DeployOptions) -> tuple[SecretNeed, ...]:
        """Return the secrets that the release in `checkout` reads when it is deployed with `options`.

        Raise RecipeError if the release cannot be run at all.
        """

    def deploy(self, app: App, checkout: Path, options: DeployOptions) -> tuple[str, ...]:
        """Start the release in `checkout` as the app, new or over an earlier deployment. Return remarks.

        Raise KilledError if the earlier deployment had to be killed first.
        """

    def status(self, app: App) -> AppStatus:
        """Return whether and how the app runs now; Unobservable if this cannot be read."""

    def changes(self, app: App) -> AbstractContextManager[Changes | None]:
        """Follow the changes of the app within the `with` block.

        Yield None if the driver can only be asked for the status.
        """

    def logs(self, app: App) -> tuple[str, ...]:
        """Write the output of each part of the app to a file in its `logs`. Return the last lines, safe to print."""

    def stop(self, app: App) -> RemovalResult:
        """Stop all parts of the app, so that its data no longer changes."""

    def kill(self, app: App) -> None:
        """End all processes of the app at once with SIGKILL, as a power cut would. Nothing of the app runs afterwards.

        Its data stays as it is at that moment, and the app can be deployed again. Raises InfrastructureError if
        something of it still runs.
        """

    def save(self, app: App, into: Path) -> None:
        """Copy the data, secrets and settings of the stopped app into the empty folder `into`.

        The copy may share its files with the app: the caller must be done with the copy before the app runs again.
        """

    def load(self, app: App, source: Path) -> None:
        """Give a new app the data, secrets and settings that `save` wrote to `source`.

        Files may be moved out of `source`, so this works only once.
        """

    def backs_up(self, app: App) -> bool:
        """Whether the deployed release itself declares how the app is backed up and restored."""

    def backup(self, app: App, into: Path) -> tuple[str, ...]:
        """Write a backup of the running app into the folder `into`, in the way the release declares. Return remarks.

        Raise RecipeError or TimedOutError.
        """

    def restore(self, app: App, source: Path, within: timedelta) -> None:
        """Restore the backup in the folder `source` over the data of the newly installed app.

        `within` is how long services that the restore restarts may take to be up again. Raise RecipeError or
        TimedOutError.
        """

    def remove(self, app: App) -> RemovalResult:
        """Stop the app, and delete all its parts, its data and its folder."""

    def leftovers(self, root: Path) -> tuple[str, ...]:
        """Return the marks of all slots below the folder `root` that still have processes or objects on this host.

        A slot counts even if its folder is gone.
        """

    def deployed_parts(self, root: Path) -> Mapping[str, DeployedParts]:
        """Return the deployed parts of every slot below the folder `root`, by the mark of the slot.

        Raise InfrastructureError if they cannot be read.
        """

    def clear(self, mark: str) -> RemovalResult:
        """Stop and remove all processes and objects that carry `mark`."""

    def forget(self) -> None:
        """Forget all earlier answers, because from now on another process changes apps too."""

    def app_run(self, app: App) -> Path:
        """Return the path of a program that runs its arguments as a command inside the deployed app."""


class Readiness(Protocol):
    """Waits until apps are ready, and watches whether they stay up."""

    def wait(
        self, ready: Ready, status: Callable[[], AppStatus], command: RecipeCommand, changes: Changes | None = None
    ) -> RunningApp | Unready:
        """Wait until the app answers as `ready` declares. Return its status, or why it did not become ready.

        `status` returns the app's present status. `changes` reports when the status may have changed; None if the
        driver does not report this. `command` is `ready.run` with its environment.
        """

    def watch(self, status: Callable[[], AppStatus], ready: RunningApp, seconds: float) -> EndedPart | None:
        """Watch an app for `seconds`, and ask for its `status` at least once.

        Return how a part ended since the app was `ready`, None if all parts stayed up.
        """
