"""A slot: the folder in which a recipe, and the apps that it needs, run for a while."""

import shutil
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from attrs import define, field, frozen

from desired.model import Recipe
from desired.releases import Release
from reconciler.errors import InfrastructureError, NeededAppError, killed_error
from reconciler.ports.app import App, NotRunning, RemovalResult, RunningApp
from reconciler.ports.driver import Driver
from reconciler.ports.host import Host
from reconciler.redact import read_slot_secrets, redaction
from state.folder.folder import DRIVERS


@frozen
class DeployedApp:
    """An app in a slot, with the release that was last deployed, or is about to be.

    * `driver`: what deploys the app.
    * `checkout`: the folder with the files of the release.
    """

    recipe: Recipe
    release: Release
    app: App
    driver: Driver
    checkout: Path


@frozen
class ReadySince:
    """The status of an app when it became ready. Both times are in seconds of the monotonic clock.

    * `at`: when the app became ready.
    * `unready_at`: when the app was last found not ready before; None if it was ready at once.
    """

    status: RunningApp
    at: float
    unready_at: float | None = None


@frozen
class Checkout:
    """A folder in a slot into which one commit of a recipe was checked out."""

    recipe: str
    commit: str
    folder: Path


@define
class Slot:
    """A folder in which a recipe, and the apps that it needs, run for a while.

    * `folder`: the folder itself.
    * `backup`: the folder for backups.
    * `log`: the file for the output of deployments and commands.
    * `was_empty`: True if the folder was new when the slot was opened, and nothing of an earlier slot still ran.
    * `apps`: the deployed apps by recipe. The recipe's own app is last.
    * `ready`: the apps that became ready and must stay up, by recipe.
    * `remarks`: texts for the report.
    * `unused_makers`: for each recipe, the names of declared secrets that its release does not read.
    * `checkouts`: the folders in the slot into which releases were checked out.
    * `closed`: True once the slot was removed, as far as possible.
    * `mark_id`: the variable MARK_ID of the recipe's commands: a text that data.mark writes and data.check looks for;
      "" if the variable is not set.
    """

    host: Host
    folder: Path
    backup: Path
    log: Path
    was_empty: bool
    apps: dict[str, DeployedApp] = field(factory=dict)
    ready: dict[str, ReadySince] = field(factory=dict)
    remarks: list[str] = field(factory=list)
    unused_makers: dict[str, tuple[str, ...]] = field(factory=dict)
    checkouts: list[Checkout] = field(factory=list)
    closed: bool = False
    mark_id: str = ""

    @property
    def mark(self) -> str:
        """Return the slot's mark, a text that every process, container and volume of the slot carries.

        The mark is the path of the slot's folder.
        """
        return str(self.folder)

    def check_out(self, recipe: Recipe, release: Release) -> DeployedApp:
        """Write the files of `release` into a new folder of the slot. Return the recipe's app with this release.

        Deploy nothing. Earlier checkouts stay until the slot is removed.
        """
        earlier = self.apps.get(recipe.name)
        new = App(recipe.name, self.folder / recipe.name, self.mark, recipe.stop.grace)
        app = earlier.app if earlier is not None else new
        app.folder.mkdir(mode=0o700, exist_ok=True)
        folder = self.folder / "checkouts" / f"{recipe.name}-{len(self.checkouts)}"
        folder.parent.mkdir(mode=0o700, exist_ok=True)
        self.host.mirrors.checkout(recipe.name, release.commit, folder)
        self.checkouts.append(Checkout(recipe.name, release.commit, folder))
        deployed = DeployedApp(recipe, release, app, self.host.drivers[recipe.driver], folder)
        self.apps[recipe.name] = deployed
        self._record_driver(recipe.driver)
        return deployed

    def _record_driver(self, name: str) -> None:
        """Record in a file in the slot that the driver `name` deploys apps there.

        If this pass is killed, the next pass needs that driver to clear the slot.
        """
        record = self.folder / DRIVERS / name
        record.parent.mkdir(mode=0o700, exist_ok=True)
        record.touch(mode=0o600)

    def tests_of(self, recipe: Recipe) -> Path:
        """Return the slot's copy of the recipe's fleet folder. Make the copy if it is missing.

        The commands of the recipe's tests run in the copy, so that they cannot change the original. They may write to
        every file in the copy, even if the original is read-only.
        """
        copy = self.folder / "tests" / recipe.name
        if not copy.exists():
            shutil.copytree(recipe.folder, copy, symlinks=True)
            _let_owner_write(copy)
        return copy

    def stop(self) -> None:
        """Stop all apps, so that their data can be saved. Apps that need others are stopped first.

        Raise InfrastructureError if an app still runs. If the recipe's own app had to be killed, raise KilledError,
        because its last writes may be incomplete. If a needed app had to be killed, raise NeededAppError.
        """
        self.ready.clear()
        own = next(reversed(self.apps.values()), None)
        for deployed in reversed(self.apps.values()):
            removal = deployed.driver.stop(deployed.app)
            self.note_removal(deployed.recipe.name, removal)
            if not isinstance(deployed.driver.status(deployed.app), NotRunning):
                raise InfrastructureError(f"{deployed.recipe.name} was stopped, but may still run")
            if removal.killed:
                killed = killed_error(deployed.recipe.name, removal.killed, self.host.commands.pressure())
                if own is not None and deployed is not own:
                    raise NeededAppError(own.recipe.name, deployed.recipe.name, killed)
                raise killed

    def stop_without_checks(self) -> None:
        """Stop all apps. How they ended is not checked, because their data is no longer needed."""
        self.ready.clear()
        for deployed in reversed(self.apps.values()):
            self.note_removal(deployed.recipe.name, deployed.driver.stop(deployed.app))

    def save(self, into: Path) -> Mapping[str, object]:
        """Save the data of each stopped app in the folder `into`/RECIPE. Return the release of each app, by recipe.

        A returned release has the form {"version": …, "commit": …}. The saved files may be shared with the apps, so the
        caller must be done with them before an app runs again.
        """
        for name, deployed in self.apps.items():
            (into / name).mkdir(mode=0o700, parents=True)
            deployed.driver.save(deployed.app, into / name)
        releases = {name: deployed.release for name, deployed in self.apps.items()}
        return {name: {"version": release.version, "commit": release.commit} for name, release in releases.items()}

    def log_line(self, line: str) -> None:
        """Append `line` to the slot's log, as a line of Canon and not of an app. If that fails, the line is lost."""
        append_log_line(self.log, line)

    def redact(self, text: str) -> str:
        """Return `text` with "[redacted]" in place of every secret of the slot's apps."""
        secrets = redaction(read_slot_secrets(self.folder))
        return secrets.apply(text.encode("utf-8", "surrogateescape")).decode("utf-8", "replace")

    def note_removal(self, owner: str, removal: RemovalResult) -> None:
        """Add remarks to the slot on what went wrong when an app, or the rest of the slot, was removed.

        `owner` is the app's recipe, or "the slot". A remark names a part that was left running, that could not be
        removed, or that was killed but keeps no data.
        """
        self.remarks += [f"{owner} left {part} running; it was ended" for part in removal.ended]
        self.remarks += [f"{part} of {owner} could not be removed" for part in removal.remaining]
        self.remarks += [
            f"{part} of {owner} did not end in the time it has to stop and was killed; "
            "it mounts no volume, so no data can be cut off"
            for part in removal.without_data
        ]


def _let_owner_write(folder: Path) -> None:
    """Make a folder and everything in it writable for its owner. Links, and what they point to, stay as they are."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(stat.S_IMODE(path.stat().st_mode) | stat.S_IWUSR)


def append_log_line(log: Path, line: str) -> None:
    """Append `line` to the file `log`, with "==> " before it, which shows that the line is Canon's.

    If the file is missing, make it, readable only for its owner. If writing fails, the line is lost; raise no error.
    """
    with suppress(OSError):
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        log.touch(mode=0o600)
        with log.open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"==> {line}\n")
