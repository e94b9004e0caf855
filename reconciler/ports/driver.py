"""The protocols of what runs apps, and of what waits until they are ready."""

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
    StartTimes,
    Unready,
)
from reconciler.ports.app_secrets import SecretNeed
from reconciler.ports.commands import RecipeCommand


class Changes(Protocol):
    """Tells a caller when an app may have changed, so that its status has to be read again."""

    def wait(self, seconds: float) -> bool:
        """Wait until the app may have changed, but at most `seconds`. Return whether it may have changed."""


class Driver(Protocol):
    """Deploys, stops, saves and removes apps. It knows nothing of tiers, snapshots or readiness checks.

    `programs` are the programs that the driver runs, such as "git". Their versions are recorded with each trial.
    """

    programs: tuple[str, ...]

    def needs(self, app: App, checkout: Path, options: DeployOptions) -> tuple[SecretNeed, ...]:
        """Return the secrets that a release reads when it is deployed with `options`. Its files are in `checkout`.

        Raise RecipeError if the release cannot be run at all.
        """

    def deploy(self, app: App, checkout: Path, options: DeployOptions) -> tuple[str, ...]:
        """Deploy the release in the folder `checkout` as the app, which may be new or run an earlier release.

        Do not wait until it is ready. Return remarks for the report; () for none. Raise RecipeError if the release is
        to blame for a failure, else InfrastructureError.
        A driver may first stop the earlier release. If that had to be killed, do not start the new one, and raise
        KilledError. A driver that replaces one part after another names killed parts in `RunningApp.killed` instead.
        """

    def status(self, app: App) -> AppStatus:
        """Return the status of the app: whether and how it runs. Return Unobservable if this cannot be read.

        Raise InfrastructureError for a fault of the host.
        """

    def changes(self, app: App) -> AbstractContextManager[Changes | None]:
        """Watch the app within the `with` block. Yield an object that waits for its changes.

        Yield None if the driver cannot wait for changes: then the caller has to call `status` again and again.
        """

    def logs(self, app: App) -> tuple[str, ...]:
        """Write the output of each part of the app to a file in its folder `logs`. Return the last lines of all.

        A line has the form "LOG: LINE". Secrets are masked, and characters that cannot be printed are escaped.
        """

    def stop(self, app: App) -> RemovalResult:
        """Stop all parts of the app, so that its data no longer changes.

        Return which parts had to be killed, and which still run.
        """

    def kill(self, app: App) -> None:
        """End all processes of the app at once with SIGKILL, as a power cut would. Nothing of the app runs afterwards.

        The data stays as it is at that moment, and the app can be deployed again. Raise InfrastructureError if
        something of the app still runs.
        """

    def watch_start(self, app: App, kill_after: float | None) -> AbstractContextManager[StartTimes]:
        """Watch the start of an app that does not run yet, within the `with` block, and yield what was seen of it.

        `kill_after` seconds after its first process is seen, end all processes of the app at once with SIGKILL, and
        from then on each one that starts. The caller has to call `kill` afterwards. With None, only watch. Raise
        InfrastructureError at the end of the block if the app cannot be watched or killed.
        """

    def save(self, app: App, into: Path) -> None:
        """Copy the data, secrets and settings of the stopped app into the empty folder `into`.

        The copy may share files with the app, so it must be used up before the app runs again. Raise RecipeError for
        data that cannot be saved, InfrastructureError if the app still runs.
        """

    def load(self, app: App, source: Path) -> None:
        """Give a new app the data, secrets and settings that `save` wrote to the folder `source`.

        This works only once, since files may be moved out of `source`. Raise InfrastructureError if the app already has
        data.
        """

    def backs_up(self, app: App) -> bool:
        """Return whether the deployed release itself declares how the app is backed up and restored."""

    def backup(self, app: App, into: Path) -> tuple[str, ...]:
        """Back up the running app into the folder `into`, in the way that the release declares.

        Return remarks for the report; () for none. Raise RecipeError if the backup fails, TimedOutError if it takes too
        long.
        """

    def restore(self, app: App, source: Path, within: timedelta) -> None:
        """Restore the backup in the folder `source` over the data of the newly installed app.

        `within` is how long services may take to be up again if the restore restarts them. Raise RecipeError if the
        restore fails, TimedOutError if it takes too long.
        """

    def remove(self, app: App) -> RemovalResult:
        """Stop the app, and delete its parts, its data and its folder. Return what could not be removed."""

    def leftovers(self, root: Path) -> tuple[str, ...]:
        """Return the marks of all slots below the folder `root` of which processes or objects are still on this host.

        A mark is the path of a slot. The folder itself may be gone.
        """

    def deployed_parts(self, root: Path) -> Mapping[str, DeployedParts]:
        """Return what is deployed now in each slot below the folder `root`, by the mark of the slot, which is its path.

        Raise InfrastructureError if this cannot be read.
        """

    def clear(self, mark: str) -> RemovalResult:
        """Stop and remove all processes and objects that carry the mark `mark` of a slot.

        Return what could not be removed.
        """

    def forget(self) -> None:
        """Stop using what the driver remembers of deployed apps: read it anew at each call from now on.

        Call this before another process starts to change apps too.
        """

    def app_run(self, app: App) -> Path:
        """Return the path of a program that takes a command as its arguments, and runs it inside the deployed app."""


class Readiness(Protocol):
    """Waits until apps are ready, and watches whether they stay up."""

    def wait(
        self, ready: Ready, status: Callable[[], AppStatus], command: RecipeCommand, changes: Changes | None = None
    ) -> RunningApp | Unready:
        """Wait until the app answers as `ready` declares. Return its status, or why it did not become ready.

        `status` is called to read the app's present status. `changes` says when to call it again; None if the driver
        cannot. `command` has the environment, folder and log for the declared command `ready.run`. Raise
        InfrastructureError if the program of `ready.run` is missing on this host.
        """

    def watch(self, status: Callable[[], AppStatus], ready: RunningApp, seconds: float) -> EndedPart | None:
        """Watch an app for `seconds`. Return how a part of it ended in that time; None if all parts stayed up.

        `ready` is the status that the app had when it became ready. `status` is called at least once to read the
        present one. Raise InfrastructureError if the last status cannot be read.
        """
