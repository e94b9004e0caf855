"""Where apps live for a while: a folder below work/NAME, always removed."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from attrs import Factory, define, field, frozen

from desired.model import Recipe, Release
from reconciler.errors import InfrastructureError, InterruptedPassError, NeededAppError, in_one_line, was_killed
from reconciler.ports.app import App, NotRunning, RemovalResult, RunningApp
from reconciler.ports.driver import Driver
from reconciler.ports.host import Host
from reconciler.redact import Redaction, redaction, slot_secrets
from state.folder.durable import remove_tree
from state.folder.folder import DRIVERS

LOG_TAIL_BYTES = 256 * 1024


@frozen
class PlacedApp:
    """One app in a slot: its place, and the release that was last deployed there from `checkout`."""

    recipe: Recipe
    release: Release
    app: App
    driver: Driver
    checkout: Path


@frozen
class ReadySince:
    """How an app was seen when it was ready, and when by the monotonic clock, in seconds."""

    seen: RunningApp
    at: float


@frozen
class Alteration:
    """A tracked file that changed in the checkout of a recipe's release."""

    recipe: str
    commit: str
    path: str

    def __str__(self) -> str:
        return f"{self.recipe}:{self.path}"


@frozen
class ClosedSlot:
    """What was seen when a slot was removed: tracked files that changed, and remarks that decide nothing."""

    altered: tuple[Alteration, ...]
    remarks: tuple[str, ...]
    left: tuple[str, ...]


@define
class Slot:
    """A place for a recipe and what it needs. `emptied` tells whether nothing was there when it was opened.

    `log` is the file that deployments and commands in it write to; it changes from tier to tier. `ready`: the apps that
    must stay up, by recipe. `closed`: whatever could be removed has been removed.
    """

    host: Host
    folder: Path
    backup: Path
    log: Path
    emptied: bool
    placed: dict[str, PlacedApp] = field(factory=dict)
    ready: dict[str, ReadySince] = field(factory=dict)
    remarks: list[str] = field(factory=list)
    not_asked_for: dict[str, tuple[str, ...]] = field(factory=dict)
    used: list[tuple[str, str, Path]] = Factory(list)
    closed: bool = False

    @property
    def mark(self) -> str:
        return str(self.folder)

    def place(self, recipe: Recipe, release: Release) -> PlacedApp:
        """Check `release` out beside the app's place; earlier checkouts of the slot stay until it closes."""
        before = self.placed.get(recipe.name)
        new = App(recipe.name, self.folder / recipe.name, self.mark, recipe.stop.grace)
        app = before.app if before is not None else new
        app.folder.mkdir(mode=0o700, exist_ok=True)
        checkout = self.folder / "checkouts" / f"{recipe.name}-{len(self.used)}"
        checkout.parent.mkdir(mode=0o700, exist_ok=True)
        self.host.mirrors.checkout(recipe.name, release.commit, checkout)
        self.used.append((recipe.name, release.commit, checkout))
        placed = PlacedApp(recipe, release, app, self.host.drivers[recipe.driver], checkout)
        self.placed[recipe.name] = placed
        self._note_driver(recipe.driver)
        return placed

    def _note_driver(self, name: str) -> None:
        """Tell whoever finds the slot after we died who removes it, also where no recipe names that driver by then."""
        noted = self.folder / DRIVERS / name
        noted.parent.mkdir(mode=0o700, exist_ok=True)
        noted.touch(mode=0o600)

    def tests_of(self, recipe: Recipe) -> Path:
        """A copy of the recipe's fleet folder, made once a slot, so that no command can touch the original."""
        copy = self.folder / "tests" / recipe.name
        if not copy.exists():
            shutil.copytree(recipe.folder, copy, symlinks=True)
        return copy

    def rest(self) -> None:
        """Bring the data of all apps to rest, the ones that need others first.

        Raises InfrastructureError where one still runs: what is saved of it would not be one state of its data.
        Raises KilledError where the recipe's own app had to be killed: what it wrote last may be cut off.
        Raises NeededAppError where an app that it needs had to be.
        """
        self.ready.clear()
        own = next(reversed(self.placed.values()), None)
        for placed in reversed(self.placed.values()):
            residue = placed.driver.stop(placed.app)
            self._note(placed, residue)
            if not isinstance(placed.driver.look(placed.app), NotRunning):
                raise InfrastructureError(f"{placed.recipe.name} was stopped, and is not seen to be at rest")
            if residue.killed:
                killed = was_killed(placed.recipe.name, residue.killed, self.host.commands.pressure())
                if own is not None and placed is not own:
                    raise NeededAppError(own.recipe.name, placed.recipe.name, killed)
                raise killed

    def halt(self) -> None:
        """Stop all apps, whatever becomes of their data."""
        self.ready.clear()
        for placed in reversed(self.placed.values()):
            self._note(placed, placed.driver.stop(placed.app))

    def save(self, into: Path) -> Mapping[str, object]:
        """Bring the resting apps' data into `into`, a folder each; returns at which releases they rest.

        It is to be used up before any of them runs again.
        """
        for name, placed in self.placed.items():
            (into / name).mkdir(mode=0o700, parents=True)
            placed.driver.save(placed.app, into / name)
        releases = {name: (placed.release.version, placed.release.commit) for name, placed in self.placed.items()}
        return {name: {"version": version, "commit": commit} for name, (version, commit) in releases.items()}

    def note(self, line: str) -> None:
        """Write a line of our own into the log."""
        with suppress(OSError):
            self.log.touch(mode=0o600)
            with self.log.open("a", encoding="utf-8") as log:
                log.write(f"==> {line}\n")

    def redact(self, text: str) -> str:
        """`text` without any secret of the slot's apps."""
        known = redaction(slot_secrets(self.folder))
        return known.apply(text.encode("utf-8", "surrogateescape")).decode("utf-8", "replace")

    def close(self) -> ClosedSlot:
        """Remove everything of the slot and tell what was found on the way."""
        altered, added, unfetched = self._alterations()
        self._keep_logs()
        self._remove()
        left = self._left()
        remarks = [*self.remarks, *unfetched, *(f"the run added {path}" for path in added[:5])]
        remarks += [f"{what} would not go" for what in left]
        self.closed = True
        return ClosedSlot(tuple(altered), tuple(remarks), left)

    def _alterations(self) -> tuple[list[Alteration], list[str], list[str]]:
        """Tracked files that changed, files that were added, and remarks on what a checkout does not hold."""
        altered, added, unfetched = [], [], []
        for name, commit, checkout in self.used:
            seen = self.host.mirrors.alterations(name, commit, checkout)
            altered += [Alteration(name, commit, path) for path in seen.changed]
            added += [f"{name}:{path}" for path in seen.added]
            unfetched += [f"{name} {commit[:7]}: {each}" for each in seen.unfetched]
        return altered, added, unfetched

    def _keep_logs(self) -> None:
        """Append what the apps said to the log, and take the secrets out of all of it."""
        for placed in self.placed.values():
            placed.driver.logs(placed.app)
        known = redaction(slot_secrets(self.folder))
        said = [
            f"==> {placed.recipe.name} {placed.release.version}: {path.stem}\n{_last(path, known)}"
            for placed in self.placed.values()
            for path in _files_in(placed.app.logs)
        ]
        text = self.log.read_text("utf-8", "replace") if self.log.exists() else ""
        self.log.write_text(self.redact(text + "\n".join(said)), "utf-8", "backslashreplace")
        self.log.chmod(0o600)

    def _remove(self) -> None:
        for placed in reversed(self.placed.values()):
            self._note(placed, placed.driver.remove(placed.app))
        for driver in self.host.drivers.values():
            self._note_ended("the slot", driver.clear(self.mark))
        try:
            remove_tree(self.folder)
        except OSError as failed:
            self.remarks.append(f"the slot could not be removed: {in_one_line(failed)}")

    def _left(self) -> tuple[str, ...]:
        marks = [mark for driver in self.host.drivers.values() for mark in driver.leftovers(self.folder)]
        return tuple(sorted(set(marks))) + ((str(self.folder),) if self.folder.exists() else ())

    def _note(self, placed: PlacedApp, residue: RemovalResult) -> None:
        self._note_ended(placed.recipe.name, residue)

    def _note_ended(self, whose: str, residue: RemovalResult) -> None:
        self.remarks += [f"{whose} left {what} running; it was ended" for what in residue.ended]
        self.remarks += [f"{what} of {whose} would not go" for what in residue.left]
        self.remarks += [
            f"{what} of {whose} did not end in the time it has to stop and was killed; "
            "it mounts no volume, so no data can be cut off"
            for what in residue.without_data
        ]


def backup_of(reserved_folder: Path) -> Path:
    """Where one tier's backup waits for another: all slots of a trial have the same."""
    return reserved_folder / "backup"


@contextmanager
def open_slot(host: Host, reserved_folder: Path, role: str, log: Path) -> Iterator[Slot]:
    """A new slot in a reserved folder; what still is of it at the end is removed."""
    folder = reserved_folder / role
    emptied = not folder.exists() and not any(driver.leftovers(folder) for driver in host.drivers.values())
    folder.mkdir(mode=0o700, exist_ok=True)
    for name in ("home", "tmp"):
        (folder / name).mkdir(mode=0o700, exist_ok=True)
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    backup = backup_of(reserved_folder)
    backup.mkdir(mode=0o700, exist_ok=True)
    slot = Slot(host, folder, backup, log, emptied)
    with clearing_up(lambda: None if slot.closed else slot.close()):
        yield slot


@contextmanager
def clearing_up(clear: Callable[[], object]) -> Iterator[None]:
    """Call `clear` at the end, also after an exception. After a signal, what `clear` raises is dropped."""
    try:
        yield
    except InterruptedPassError:
        with suppress(Exception):
            clear()
        raise
    except BaseException:
        clear()
        raise
    clear()


def _files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*") if path.is_file()) if folder.is_dir() else []


def _last(path: Path, known: Redaction) -> str:
    """The end of a file without secrets; one that the start of what is read has cut in two is dropped with it."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - LOG_TAIL_BYTES - known.longest))
        return known.apply(file.read())[-LOG_TAIL_BYTES:].decode(errors="replace")
