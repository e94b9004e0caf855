"""The state folder: its paths, and what is checked before it is used."""

import os
import stat
from pathlib import Path

from attrs import frozen

from state.folder.durable import file_errors, make_folder
from state.folder.fleet_name import is_fleet_name_file
from state.folder.identity import is_identity_file
from state.folder.lock import is_lock_file
from state.state_errors import FolderError, ForeignFolderError

_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH
# In a slot, beside its apps: a folder with an empty file for each driver that the slot was deployed with.
DRIVERS = ".drivers"
# A folder that lies at the root of some file systems. The state folder may be such a root.
_LOST_AND_FOUND = "lost+found"


@frozen
class StateFolder:
    """The paths of one state folder. Only `create` and `make_slot` make folders.

    A method that takes a name raises FolderError if the name could lead out of the folder, such as "..".
    """

    root: Path

    @property
    def database(self) -> Path:
        return self.root / "canon.db"

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    @property
    def running_pass(self) -> Path:
        """Return the path of the file that says what the running pass is doing."""
        return self.root / "running.json"

    @property
    def notifications(self) -> Path:
        """Return the path of a file on notifications: the problems that were told, and the messages not sent yet."""
        return self.root / "notifications.json"

    @property
    def image_log(self) -> Path:
        return self.root / "images.jsonl"

    @property
    def identity(self) -> Path:
        return self.root / "id"

    @property
    def fleet_name(self) -> Path:
        return self.root / "fleet"

    @property
    def mirrors(self) -> Path:
        return self.root / "mirrors"

    @property
    def canonicals(self) -> Path:
        return self.root / "canonicals"

    @property
    def kept(self) -> Path:
        """Return the folder with the slots and the records of kept deployments."""
        return self.root / "kept"

    @property
    def work(self) -> Path:
        return self.root / "work"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    def mirror(self, name: str) -> Path:
        """Return the path of our mirror of the recipe `name`."""
        return self.mirrors / f"{_one_part(name)}.git"

    def generations(self, name: str) -> Path:
        """Return the folder with the sealed snapshots of a recipe, each in a folder of its own."""
        return self.canonicals / _one_part(name)

    def canonical(self, name: str, generation: int) -> Path:
        """Return the folder of the sealed snapshot of this generation of the recipe `name`."""
        return self.generations(name) / str(generation)

    def kept_slot(self, name: str) -> Path:
        """Return the slot (a folder) in which the kept deployment of the recipe `name` runs."""
        return self.kept / _one_part(name)

    def deployment_record_path(self, name: str) -> Path:
        """Return the path of the deployment record of the recipe `name`.

        The record is beside the slot of the deployment, so that it stays when the slot is removed.
        """
        return self.kept / f"{_one_part(name)}.json"

    def slot(self, name: str) -> Path:
        """Return the working folder of the recipe `name`. The slots of its trials are in this folder."""
        return self.work / _one_part(name)

    def slot_lock(self, name: str) -> Path:
        return self.slot(name) / "lock"

    def drivers_in_use(self, name: str = "*") -> frozenset[str]:
        """Return the drivers that deployed the recipe `name`, or any recipe for "*": names such as "swarm".

        Slots in working folders and slots of kept deployments count, also those that a killed pass has left.
        """
        markers = (*self.work.glob(f"{name}/*/{DRIVERS}/*"), *self.kept.glob(f"{name}/{DRIVERS}/*"))
        return frozenset(path.name for path in markers)

    def drivers_of_slot(self, name: str) -> frozenset[str]:
        """Return the drivers that deployed the slots in the working folder of the recipe `name`, such as "swarm"."""
        return frozenset(path.name for path in self.slot(name).glob(f"*/{DRIVERS}/*"))

    def trial_logs(self, name: str) -> Path:
        """Return the folder with the logs of a recipe's trials. Each trial has a folder of its own in it."""
        return self.logs / _one_part(name)

    def trial_log(self, name: str, trial: str) -> Path:
        """Return the folder with the logs of one trial. `trial` is its id."""
        return self.trial_logs(name) / _one_part(trial)

    def create(self) -> None:
        """Make the missing folders, private to this user.

        Raise FolderError if one of the folders belongs to another user, may be written by others, is a link, or cannot
        be made. Raise ForeignFolderError if the root has files that Canon did not make.
        """
        with file_errors(f"make the state folder {self.root}", FolderError):
            self.require_state_folder()
            for path in (self.root, *self.parts):
                _refuse_foreign(path)
                make_folder(path)
                _refuse_foreign(path)

    def require_state_folder(self) -> None:
        """Raise an error unless the root is a state folder already, is missing, or is an empty folder.

        Raise ForeignFolderError if the root has files that Canon did not make, FolderError if the root is no folder.
        """
        with file_errors(f"read the state folder {self.root}", FolderError):
            if not self.root.exists():
                return
            if not self.root.is_dir():
                raise _not_a_folder(self.root)
            if foreign := self._foreign_entry():
                raise ForeignFolderError(
                    f"{self.root} is not a state folder of Canon: it holds {foreign}; nothing in it was changed",
                    "name a new folder, or an empty one, with --state",
                )

    @property
    def parts(self) -> tuple[Path, ...]:
        """Return the folders in the root that `create` makes."""
        return (self.mirrors, self.canonicals, self.kept, self.work, self.logs)

    def _foreign_entry(self) -> str:
        """Return the name of an entry in the root that Canon did not make; "" if there is none.

        Return "" too if the root is already a state folder of Canon: then other files in it do no harm.
        """
        if self.database.is_file() or is_lock_file(self.lock, signed=True):
            return ""
        # A pass may have been killed before it wrote anything into the folders that it had made.
        made = {path.name for path in self.parts if not path.is_symlink() and path.is_dir() and is_empty(path)}
        made |= {self.lock.name} if is_lock_file(self.lock) else set()
        made |= {path.name for path in self.root.glob(f"{self.identity.name}*") if is_identity_file(path)}
        made |= {path.name for path in self.root.glob(f"{self.fleet_name.name}*") if is_fleet_name_file(path)}
        foreign = {path.name for path in self.root.iterdir()} - made - {_LOST_AND_FOUND}
        return min(foreign, default="")

    def make_slot(self, name: str) -> Path:
        """Return the working folder of the recipe `name` (`work/NAME`), in which its slots are. Make it if missing.

        Raise FolderError if a file or a link is at this path. Canon clears the working folder. Through a link, it would
        clear another folder.
        """
        slot = self.slot(name)
        with file_errors(f"make the slot {slot}", FolderError):
            _folder_at(slot, "move the link away")
            slot.mkdir(mode=0o700, parents=True, exist_ok=True)
        return slot


def is_empty(folder: Path) -> bool:
    """Return whether a folder is empty. Raise OSError if it cannot be read."""
    with os.scandir(folder) as entries:
        return next(entries, None) is None


def is_slot(path: Path) -> bool:
    """Return whether an entry of `work/` is a working folder of Canon: it has a lock file of Canon, or it is empty."""
    return not path.is_symlink() and path.is_dir() and (is_lock_file(path / "lock") or is_empty(path))


def _one_part(name: str) -> str:
    """Return `name`. Raise FolderError if it is no single part of a path, and so could lead out of the state folder."""
    if name in {"", ".", ".."} or "/" in name or "\0" in name:
        raise FolderError(f"{name!r} is not the name of an entry in a folder")
    return name


def _folder_at(path: Path, hint_for_link: str) -> os.stat_result | None:
    """Return the `lstat` of the folder `path`; None if nothing is there. Raise FolderError for a file or a link.

    `hint_for_link` is the hint of the error for a symbolic link.
    """
    try:
        info = path.lstat()
    except FileNotFoundError:
        return None
    if stat.S_ISLNK(info.st_mode):
        raise FolderError(f"the state folder's {path} is a symbolic link", hint_for_link)
    if not stat.S_ISDIR(info.st_mode):
        raise _not_a_folder(path)
    return info


def _not_a_folder(path: Path) -> FolderError:
    hint = "move it away, or name another folder with --state"
    return FolderError(f"the state folder's {path} is not a folder", hint)


def _refuse_foreign(path: Path) -> None:
    """Raise FolderError if the folder belongs to another user, if others may write to it, or if it is a link.

    Do nothing if the folder is missing.
    """
    info = _folder_at(path, f"name the folder itself, or put it in the link's place: {path.resolve()}")
    if info is None:
        return
    if info.st_uid != os.geteuid():
        raise FolderError(
            f"the state folder's {path} belongs to user {info.st_uid}, and this is user {os.geteuid()}",
            "run as its owner, or name another folder with --state",
        )
    if info.st_mode & _WRITABLE_BY_OTHERS:
        raise FolderError(
            f"the state folder's {path} may be written by others (mode {stat.S_IMODE(info.st_mode):04o})",
            f"chmod go-w {path}",
        )
