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
    """How a recipe runs: mechanism only. Secrets, probes, deadlines, tiers and snapshots are outside it.

    `programs` are the commands that it works with: of another version, they may make another verdict.
    """

    programs: tuple[str, ...]

    def needs(self, app: App, checkout: Path, options: DeployOptions) -> tuple[SecretNeed, ...]:
        """The secrets the checked-out release reads, deployed with `options` over what there is of the app.

        Raises RecipeError where it cannot be run at all.
        """
        ...

    def deploy(self, app: App, checkout: Path, options: DeployOptions) -> tuple[str, ...]:
        """Start `checkout` in the app's place, new or over what is there; returns remarks.

        Raises KilledError where what is there had to be killed first.
        """
        ...

    def look(self, app: App) -> AppStatus: ...

    def logs(self, app: App) -> tuple[str, ...]:
        """Bring what the app wrote into its `logs`, a file for each part; returns the last lines, fit to be shown."""
        ...

    def stop(self, app: App) -> RemovalResult:
        """Bring the data to rest: nothing of the app runs afterwards. What had to be killed for that is told."""
        ...

    def save(self, app: App, into: Path) -> None:
        """Bring the resting app's data, secrets and settings into the empty folder `into`.

        What lies there may share its content with the app: it is to be used up before the app runs again.
        """
        ...

    def load(self, app: App, source: Path) -> None:
        """The reverse of `save`, into a fresh place; `source` may be used up."""
        ...

    def backs_up(self, app: App) -> bool:
        """Whether the deployed release itself says how it is backed up and brought back."""
        ...

    def backup(self, app: App, into: Path) -> tuple[str, ...]:
        """Write a backup into `into` as the release says, while the app is up; returns remarks.

        Raises RecipeError or TimedOutError.
        """
        ...

    def restore(self, app: App, source: Path, within: timedelta) -> None:
        """Bring back what `backup` wrote, over what the fresh app holds.

        What has to be started anew on the way has to be up `within` a time. Raises RecipeError or TimedOutError.
        """
        ...

    def remove(self, app: App) -> RemovalResult:
        """Stop the app and delete all of it, its folder included."""
        ...

    def leftovers(self, root: Path) -> tuple[str, ...]:
        """Marks of everything on this host whose slot lies below `root`, whether or not its folder is still there."""
        ...

    def deployed_parts(self, root: Path) -> Mapping[str, DeployedParts]:
        """What stands of every slot below `root`, by mark, in one look. Raises InfrastructureError."""
        ...

    def clear(self, mark: str) -> RemovalResult:
        """End everything that bears `mark`."""
        ...

    def app_run(self, app: App) -> Path:
        """The program that runs its arguments inside the deployed app."""
        ...


class Readiness(Protocol):
    """Whether apps become ready, and stay up."""

    def wait(self, ready: Ready, look: Callable[[], AppStatus], command: RecipeCommand) -> RunningApp | Unready:
        """Wait until the app's own listener answers as declared; `command` carries what `ready.run` runs in."""
        ...

    def watch(self, look: Callable[[], AppStatus], ready: RunningApp, seconds: float) -> EndedPart | None:
        """Look at an app for `seconds`, at least once; what of it ended since it was seen `ready`, None for nothing."""
        ...
