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
        """Wait for at most `seconds` until the app may have changed. Return whether it may have changed."""


class Driver(Protocol):
    """Deploys, stops, saves and removes apps. Knows nothing of tiers, snapshots or readiness checks.

    `programs` names the programs that the driver runs, such as "git". Their versions are recorded with each trial.
    """

    programs: tuple[str, ...]

    def needs(self, app: App, checkout: Path, options: DeployOptions) -> tuple[SecretNeed, ...]:
        """Return the secrets that the release in the folder `checkout` reads when it is deployed with `options`.

        Raise RecipeError if the release cannot be run at all.
        """

    def deploy(self, app: App, checkout: Path, options: DeployOptions) -> tuple[str, ...]:
        """Start the release in the folder `checkout` as the app, new or over an earlier deployment.

        Do not wait until it is ready. Return remarks for the report, () if there are none. Raise RecipeError if the
        release is to blame for a failure, else InfrastructureError. Raise KilledError, and do not start the release, if
        the earlier deployment was stopped first and had to be killed. A driver that replaces the parts one by one names
        the killed parts in `RunningApp.killed` instead.
        """

    def status(self, app: App) -> AppStatus:
        """Return whether and how the app runs now; Unobservable if this cannot be read.

        Raise InfrastructureError for a fault of the host.
        """

    def changes(self, app: App) -> AbstractContextManager[Changes | None]:
        """Follow the changes of the app within the `with` block. Yield an object that waits for them.

        Yield None if the driver cannot wait for changes: then `status` has to be called again and again.
        """

    def logs(self, app: App) -> tuple[str, ...]:
        """Write the output of each part of the app to a file in its `logs`. Return the last lines of each file.

        A line is "LOG: LINE", without secrets, and with escapes for characters that cannot be printed.
        """

    def stop(self, app: App) -> RemovalResult:
        """Stop all parts of the app, so that its data no longer changes.

        Return which parts had to be killed or still run.
        """

    def kill(self, app: App) -> None:
        """End all processes of the app at once with SIGKILL, as a power cut would. Nothing of the app runs afterwards.

        Its data stays as it is at that moment, and the app can be deployed again. Raise InfrastructureError if
        something of the app still runs.
        """

    def save(self, app: App, into: Path) -> None:
        """Copy the data, secrets and settings of the stopped app into the empty folder `into`.

        The copy may share its files with the app: the caller must be done with the copy before the app runs again.
        Raise RecipeError for data that cannot be saved, InfrastructureError if the app still runs.
        """

    def load(self, app: App, source: Path) -> None:
        """Give a new app the data, secrets and settings that `save` wrote to the folder `source`.

        Files may be moved out of `source`, so this works only once. Raise InfrastructureError if the app already has
        data.
        """

    def backs_up(self, app: App) -> bool:
        """Whether the deployed release itself declares how the app is backed up and restored."""

    def backup(self, app: App, into: Path) -> tuple[str, ...]:
        """Write a backup of the running app into the folder `into`, in the way the release declares.

        Return remarks for the report, () if there are none. Raise RecipeError if the backup fails, TimedOutError if it
        takes too long.
        """

    def restore(self, app: App, source: Path, within: timedelta) -> None:
        """Restore the backup in the folder `source` over the data of the newly installed app.

        `within` is how long services that the restore restarts may take to be up again. Raise RecipeError if the
        restore fails, TimedOutError if it takes too long.
        """

    def remove(self, app: App) -> RemovalResult:
        """Stop the app, and delete all its parts, its data and its folder. Return what could not be removed."""

    def leftovers(self, root: Path) -> tuple[str, ...]:
        """Return the marks of all slots below the folder `root` that still have processes or objects on this host.

        A mark is the path of the slot. A slot counts even if its folder is gone.
        """

    def deployed_parts(self, root: Path) -> Mapping[str, DeployedParts]:
        """Return the deployed parts of every slot below the folder `root`, by the mark of the slot, which is its path.

        Raise InfrastructureError if they cannot be read.
        """

    def clear(self, mark: str) -> RemovalResult:
        """Stop and remove all processes and objects that carry the mark `mark` of a slot.

        Return what could not be removed.
        """

    def forget(self) -> None:
        """Drop what the driver remembers of deployed apps, and read it anew at each call from now on.

        Call this before another process changes apps too.
        """

    def app_run(self, app: App) -> Path:
        """Return the path of a program that runs its arguments as a command inside the deployed app."""


class Readiness(Protocol):
    """Waits until apps are ready, and watches whether they stay up."""

    def wait(
        self, ready: Ready, status: Callable[[], AppStatus], command: RecipeCommand, changes: Changes | None = None
    ) -> RunningApp | Unready:
        """Wait until the app answers as `ready` declares. Return its status, or why it did not become ready.

        `status` returns the app's present status. `changes` reports when the status may have changed; None if the
        driver does not report this. `command` has the environment, folder and log for the command `ready.run`. Raise
        InfrastructureError if the program of `ready.run` is missing on this host.
        """

    def watch(self, status: Callable[[], AppStatus], ready: RunningApp, seconds: float) -> EndedPart | None:
        """Watch an app for `seconds`, and call `status` at least once to get its present status.

        Return how a part ended since the app had the status `ready`, None if all parts stayed up. Raise
        InfrastructureError if the last status cannot be read.
        """
