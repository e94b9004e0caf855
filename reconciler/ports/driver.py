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

SAVED_VOLUMES = "volumes"
"""The folder that `Driver.save` makes for volumes, even if there are none. A driver without images makes none."""


class Changes(Protocol):
    """Tells a caller when an app may have changed, so that its status has to be read again."""

    def wait(self, seconds: float) -> bool:
        """Wait until the app may have changed, but at most `seconds`. Return whether it may have changed."""


class Driver(Protocol):
    """Deploys, stops, saves and removes apps. A driver knows nothing of tiers, snapshots or readiness checks.

    `programs` are the programs that the driver runs, such as "git". Their versions are recorded with each trial.
    """

    programs: tuple[str, ...]

    def needs(self, app: App, checkout: Path, options: DeployOptions) -> tuple[SecretNeed, ...]:
        """Return the secrets that a release reads when it is deployed as `app` with `options`.

        `checkout` is the folder with the release's files. Raise RecipeError if the release cannot be run at all.
        """

    def deploy(self, app: App, checkout: Path, options: DeployOptions) -> tuple[str, ...]:
        """Deploy the release in the folder `checkout` as `app`. Return remarks for the report; () for none.

        The app may be new, or an earlier release of it may run. Do not wait until the app is ready.

        A driver may stop the earlier release before it starts the new one. If such a driver has to kill the earlier
        release, it raises KilledError, and does not start the new one. A driver that replaces one part after another
        names killed parts in `RunningApp.killed`; it raises KilledError, after the deployment, only for killed parts
        that the new release no longer has.

        Raise RecipeError if the release is to blame for a failure, else InfrastructureError.
        """

    def status(self, app: App) -> AppStatus:
        """Return the status of the app: whether it runs, and how.

        Return Unobservable if the status cannot be read just now: the caller goes on, and may read it again. Raise
        InfrastructureError for a fault of this host: the caller has to give up.
        """

    def changes(self, app: App) -> AbstractContextManager[Changes | None]:
        """Watch the app within the `with` block. Yield an object whose `wait` returns when the app may have changed.

        Yield None if the driver cannot wait for changes: then the caller has to call `status` again and again.
        """

    def logs(self, app: App) -> tuple[str, ...]:
        """Write the output of each part of the app to a file of its own in the app's folder `logs/`.

        Return the last lines of all these files, each with the name of its file before it: "web: started". In the
        returned lines, secrets are masked, and characters that cannot be printed are escaped.
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
        """Watch the start of an app that does not run yet, within the `with` block. Yield what is seen of the start.

        The yielded object is filled during the block. If `kill_after` is None, only watch. Otherwise end all processes
        of the app with SIGKILL `kill_after` seconds after the app's first process is seen, and end each process of the
        app that starts later in the block. The caller has to call `kill` after the block. Raise InfrastructureError at
        the end of the block if the app cannot be watched or killed.
        """

    def save(self, app: App, into: Path) -> None:
        """Copy the data, secrets and settings of the stopped app into the empty folder `into`.

        The copy may share files with the app, so the caller must be done with it before the app runs again. Raise
        RecipeError if the data cannot be saved, InfrastructureError if the app still runs.
        """

    def load(self, app: App, source: Path) -> None:
        """Give a new app the data, secrets and settings that `save` wrote to the folder `source`.

        This works only once, since files may be moved out of `source`. Raise InfrastructureError if the app already has
        data.
        """

    def backs_up(self, app: App) -> bool:
        """Return whether the deployed release itself declares how the app is backed up and restored."""

    def backup(self, app: App, into: Path) -> tuple[str, ...]:
        """Back up the running app into the folder `into`, as the release declares.

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
        """Return the marks of all slots below the folder `root` that still have processes or objects on this host.

        A mark is the path of a slot. The folder of the slot may be gone.
        """

    def deployed_parts(self, root: Path) -> Mapping[str, DeployedParts]:
        """Return the parts that are deployed now in each slot below the folder `root`, by the slot's mark (its path).

        Raise InfrastructureError if this cannot be read.
        """

    def clear(self, mark: str) -> RemovalResult:
        """Stop and remove all processes and objects that carry the mark `mark` of a slot.

        Return what could not be removed.
        """

    def forget(self) -> None:
        """Forget what the driver remembers of deployed apps. From now on, look anew at each call what is deployed.

        Call this before another process, such as a worker, may change apps too.
        """

    def app_run(self, app: App) -> Path:
        """Return the path of a program that runs a command inside the deployed app.

        The program takes the command as its arguments.
        """


class Readiness(Protocol):
    """Waits until apps are ready, and watches whether they stay up."""

    def wait(
        self, ready: Ready, status: Callable[[], AppStatus], command: RecipeCommand, changes: Changes | None = None
    ) -> RunningApp | Unready:
        """Wait until the app answers as `ready` declares. Return its status, or why it did not become ready.

        * `status` is a function that reads the app's present status.
        * `command` has the environment, folder and log for the declared command `ready.run`.
        * `changes` says when to call `status` again. If it is None, call it again and again.

        Raise InfrastructureError if the program of `ready.run` is missing on this host.
        """

    def watch(self, status: Callable[[], AppStatus], ready: RunningApp, seconds: float) -> EndedPart | None:
        """Watch an app for `seconds`. Return how a part of it ended in that time; None if all parts stayed up.

        * `status`: a function that reads the present status. It is called at least once.
        * `ready`: the status that the app had when it became ready.

        Raise InfrastructureError if the last call of `status` could not read it.
        """
