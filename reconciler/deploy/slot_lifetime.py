"""Opens a slot, and removes it at the end with everything in it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from attrs import frozen

from reconciler.deploy.slot import Slot
from reconciler.errors import InterruptedPassError, in_one_line
from reconciler.ports.host import Host
from reconciler.redact import Redaction, read_slot_secrets, redaction
from state.folder.durable import remove_tree

LOG_TAIL_BYTES = 256 * 1024


@frozen
class Alteration:
    """A tracked file that an app changed in the checkout of its release. As text: "RECIPE:PATH"."""

    recipe: str
    commit: str
    path: str

    def __str__(self) -> str:
        return f"{self.recipe}:{self.path}"


@frozen
class CleanupResult:
    """What was found when a slot was removed.

    * `altered`: tracked files that the apps changed.
    * `remarks`: texts for the report.
    * `remaining`: what could not be removed: the marks of slots that still have processes or objects, and paths of
      folders.
    """

    altered: tuple[Alteration, ...]
    remarks: tuple[str, ...]
    remaining: tuple[str, ...]


def backup_of(working_folder: Path) -> Path:
    """Return the folder for backups in a recipe's working folder. All slots of a trial share this folder."""
    return working_folder / "backup"


@contextmanager
def open_slot(host: Host, working_folder: Path, role: str, log: Path) -> Iterator[Slot]:
    """Make a slot in the subfolder `role` of a recipe's locked working folder, yield it, and remove it at the end.

    `log` is the file for the output of the slot's apps and commands.
    """
    folder = working_folder / role
    was_empty = not folder.exists() and not any(driver.leftovers(folder) for driver in host.drivers.values())
    folder.mkdir(mode=0o700, exist_ok=True)
    for name in ("home", "tmp"):
        (folder / name).mkdir(mode=0o700, exist_ok=True)
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    backup = backup_of(working_folder)
    backup.mkdir(mode=0o700, exist_ok=True)
    slot = Slot(host, folder, backup, log, was_empty)
    with clean_up_after(lambda: None if slot.closed else close_slot(slot)):
        yield slot


@contextmanager
def clean_up_after(clean_up: Callable[[], object]) -> Iterator[None]:
    """Call `clean_up` at the end of the `with` block, even if the block raises an error.

    * If only the block raises an error: that error is raised again after `clean_up`.
    * If `clean_up` raises an error: the error of `clean_up` is raised.
    * If the block raises InterruptedPassError: it is raised again, even if `clean_up` raises an error.
    """
    try:
        yield
    except InterruptedPassError:
        with suppress(Exception):
            clean_up()
        raise
    except BaseException:
        clean_up()
        raise
    clean_up()


def close_slot(slot: Slot) -> CleanupResult:
    """Remove a slot with all its apps. Return which tracked files apps changed, remarks, and what could not be removed.

    Before the removal, compare the slot's checkouts with their commits, and append the logs of its apps to the slot's
    log.
    """
    altered, remarks = _alterations(slot)
    _keep_logs(slot)
    _remove(slot)
    remaining = _remaining(slot)
    remarks = [*slot.remarks, *remarks, *(f"{mark} could not be removed" for mark in remaining)]
    slot.closed = True
    return CleanupResult(tuple(altered), tuple(remarks), remaining)


def _alterations(slot: Slot) -> tuple[list[Alteration], list[str]]:
    """Return the tracked files that were changed in the slot's checkouts, and remarks for the report.

    The remarks name the submodules and Git LFS files that the checkouts lack, and up to five of the files that were
    added.
    """
    altered, added, unfetched = [], [], []
    for checkout in slot.checkouts:
        name, commit = checkout.recipe, checkout.commit
        changes = slot.host.mirrors.alterations(name, commit, checkout.folder)
        altered += [Alteration(name, commit, path) for path in changes.changed]
        added += [f"{name}:{path}" for path in changes.added]
        unfetched += [f"{name} {commit[:7]}: {path}" for path in changes.unfetched]
    return altered, [*unfetched, *(f"the run added {path}" for path in added[:5])]


def _keep_logs(slot: Slot) -> None:
    """Append the end of each app's logs to the slot's log. Then mask the secrets in the whole slot's log."""
    for deployed in slot.apps.values():
        deployed.driver.logs(deployed.app)
    secrets = redaction(read_slot_secrets(slot.folder))
    app_logs = [
        f"==> {deployed.recipe.name} {deployed.release.version}: {path.stem}\n{_read_end(path, secrets)}"
        for deployed in slot.apps.values()
        for path in _files_in(deployed.app.logs)
    ]
    text = slot.log.read_text("utf-8", "replace") if slot.log.exists() else ""
    slot.log.write_text(slot.redact(text + "\n".join(app_logs)), "utf-8", "backslashreplace")
    slot.log.chmod(0o600)


def _remove(slot: Slot) -> None:
    """Remove the apps of the slot, then everything else with the slot's mark, then its folder.

    What cannot be removed is named in the slot's remarks.
    """
    for deployed in reversed(slot.apps.values()):
        slot.note_removal(deployed.recipe.name, deployed.driver.remove(deployed.app))
    for driver in slot.host.drivers.values():
        slot.note_removal("the slot", driver.clear(slot.mark))
    try:
        remove_tree(slot.folder)
    except OSError as failed:
        slot.remarks.append(f"the slot could not be removed: {in_one_line(failed)}")


def _remaining(slot: Slot) -> tuple[str, ...]:
    """Return what is left of a removed slot: each mark with which a driver still finds processes or objects.

    The path of the slot's folder is last, if the folder still exists.
    """
    marks = {mark for driver in slot.host.drivers.values() for mark in driver.leftovers(slot.folder)}
    return (*sorted(marks), *([str(slot.folder)] if slot.folder.exists() else []))


def _files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*") if path.is_file()) if folder.is_dir() else []


def _read_end(path: Path, secrets: Redaction) -> str:
    """Return the last `LOG_TAIL_BYTES` bytes of a file as text, with the secrets masked."""
    with path.open("rb") as file:
        # A secret may begin before the last bytes: it is only found if its beginning is read as well.
        file.seek(max(0, path.stat().st_size - LOG_TAIL_BYTES - secrets.longest))
        return secrets.apply(file.read())[-LOG_TAIL_BYTES:].decode(errors="replace")
