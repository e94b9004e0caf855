"""How apps run, and how to wait until they are ready."""

from collections.abc import Callable, Mapping
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


class Driver(Protocol):
    """Deploys, stops, saves and removes apps. Knows nothing of tiers, snapshots or readiness checks.

    `programs` are the commands that the driver runs. Their versions count as part of the place of a verdict.
    """

    programs: tuple[str, ...]

    def needs(self, app: App, checkout: Path, options: DeployOptions) -> tuple[SecretNeed, ...]:
        """Return the secrets that the release in `checkout` reads when it is deployed with `options`.

        Raises RecipeError if the release cannot be run at all.
        """
        ...

    def deploy(self, app: App, checkout: Path, options: DeployOptions) -> tuple[str, ...]:
        """Start the release in `checkout` as the app, new or over an earlier deployment. Returns remarks.

        Raises KilledError if the earlier deployment had to be killed first.
        """
        ...

    def status(self, app: App) -> AppStatus: ...

    def logs(self, app: App) -> tuple[str, ...]:
        """Write the output of each part of the app to a file in `logs`. Returns the last lines, safe to print."""
        ...

    def stop(self, app: App) -> RemovalResult:
        """Stop everything of the app, so that its data no longer changes."""
        ...

    def save(self, app: App, into: Path) -> None:
        """Copy data, secrets and settings of the stopped app into the empty folder `into`.

        The copy may share its files with the app: use it up before the app runs again.
        """
        ...

    def load(self, app: App, source: Path) -> None:
        """Bring what `save` wrote to `source` into a new app. Files may be moved out of `source`: load it only once."""
        ...

    def backs_up(self, app: App) -> bool:
        """Whether the deployed release itself declares how to back it up and restore it."""
        ...

    def backup(self, app: App, into: Path) -> tuple[str, ...]:
        """Write a backup of the running app into `into`, in the way the release declares. Returns remarks.

        Raises RecipeError or TimedOutError.
        """
        ...

    def restore(self, app: App, source: Path, within: timedelta) -> None:
        """Restore what `backup` wrote over the data of the newly installed app.

        Services that the restore restarts have to be up again `within` that time. Raises RecipeError or TimedOutError.
        """
        ...

    def remove(self, app: App) -> RemovalResult:
        """Stop the app and delete everything of it, with its folder."""
        ...

    def leftovers(self, root: Path) -> tuple[str, ...]:
        """Return the marks of all slots below `root` of which anything is left on this host, even without a folder."""
        ...

    def deployed_parts(self, root: Path) -> Mapping[str, DeployedParts]:
        """Return what is deployed of every slot below `root`, by mark. Raises InfrastructureError."""
        ...

    def clear(self, mark: str) -> RemovalResult:
        """Stop and remove everything that carries `mark`."""
        ...

    def app_run(self, app: App) -> Path:
        """Return the program that runs its arguments inside the deployed app."""
        ...


class Readiness(Protocol):
    """Whether apps become ready, and stay up."""

    def wait(self, ready: Ready, status: Callable[[], AppStatus], command: RecipeCommand) -> RunningApp | Unready:
        """Wait until the app answers as `ready` declares. `command` has the environment in which `ready.run` runs."""
        ...

    def watch(self, status: Callable[[], AppStatus], ready: RunningApp, seconds: float) -> EndedPart | None:
        """Watch an app for `seconds`, and ask for its status at least once.

        Returns the part that ended since the app was seen `ready`, None if the app stayed up.
        """
        ...
