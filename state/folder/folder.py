"""The state folder: which path is what."""

import os
import stat
from pathlib import Path

from attrs import frozen

from state.folder.durable import file_errors, make_folder
from state.folder.identity import is_identity_file
from state.folder.lock import is_lock_file
from state.state_errors import FolderError, ForeignFolderError

_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH
# In a slot, beside its apps: an empty file named for each driver that it was deployed with.
DRIVERS = ".drivers"
# What a file system keeps at its root; a state folder may be one of its own.
_OF_THE_FILE_SYSTEM = "lost+found"


@frozen
class StateFolder:
    """Paths of one state folder. Naming them touches nothing; only `create` makes any."""

    root: Path

    @property
    def database(self) -> Path:
        return self.root / "canon.db"

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    @property
    def identity(self) -> Path:
        return self.root / "id"

    @property
    def mirrors(self) -> Path:
        return self.root / "mirrors"

    @property
    def canonicals(self) -> Path:
        return self.root / "canonicals"

    @property
    def kept(self) -> Path:
        """Where canonicals that are kept running live."""
        return self.root / "kept"

    @property
    def work(self) -> Path:
        return self.root / "work"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    def mirror(self, name: str) -> Path:
        return self.mirrors / f"{_one_part(name)}.git"

    def generations(self, name: str) -> Path:
        """Where the sealed snapshots of a recipe lie, a folder each."""
        return self.canonicals / _one_part(name)

    def canonical(self, name: str, generation: int) -> Path:
        return self.generations(name) / str(generation)

    def kept_slot(self, name: str) -> Path:
        return self.kept / _one_part(name)

    def deployment_record_path(self, name: str) -> Path:
        """Beside the slot, so that it outlives it."""
        return self.kept / f"{_one_part(name)}.json"

    def slot(self, name: str) -> Path:
        return self.work / _one_part(name)

    def slot_lock(self, name: str) -> Path:
        return self.slot(name) / "lock"

    def drivers_in_use(self, name: str = "*") -> frozenset[str]:
        """Names of the drivers that slots were deployed with and that are not removed yet, also by a dead pass.

        Of the recipe `name`, or of all.
        """
        noted = (*self.work.glob(f"{name}/*/{DRIVERS}/*"), *self.kept.glob(f"{name}/{DRIVERS}/*"))
        return frozenset(path.name for path in noted)

    def drivers_of_slot(self, name: str) -> frozenset[str]:
        """Names of the drivers that what lies in `work/NAME` was deployed with."""
        return frozenset(path.name for path in self.slot(name).glob(f"*/{DRIVERS}/*"))

    def trial_logs(self, name: str) -> Path:
        """Where the logs of a recipe's trials lie, a folder each."""
        return self.logs / _one_part(name)

    def trial_log(self, name: str, trial: str) -> Path:
        return self.trial_logs(name) / _one_part(trial)

    def create(self) -> None:
        """Make what is missing, private to us; raises FolderError for a folder that others could tamper with."""
        with file_errors(f"make the state folder {self.root}", FolderError):
            self.require_state_folder()
            for path in (self.root, *self._parts):
                _refuse_foreign(path)
                make_folder(path)
                _refuse_foreign(path)

    def require_state_folder(self) -> None:
        """Raise ForeignFolderError for a folder that holds something and is no state folder, FolderError for a file.

        A missing folder and an empty one are fine: a pass makes its state folder there.
        """
        with file_errors(f"look at the state folder {self.root}", FolderError):
            if not self.root.exists():
                return
            if not self.root.is_dir():
                raise _no_folder(self.root)
            if foreign := self._foreign_entry():
                raise ForeignFolderError(
                    f"{self.root} is no state folder of Canon: it holds {foreign}; nothing in it was touched",
                    "name a new folder, or an empty one, with --state",
                )

    @property
    def _parts(self) -> tuple[Path, ...]:
        return (self.mirrors, self.canonicals, self.kept, self.work, self.logs)

    def _foreign_entry(self) -> str:
        """The name of something that a folder holds which is no state folder, "" for a state folder or an empty one."""
        if self.database.is_file() or is_lock_file(self.lock, signed=True):
            return ""
        # A pass may have died before it wrote anything into the folders that it had made.
        made = {path.name for path in self._parts if not path.is_symlink() and path.is_dir() and is_empty(path)}
        made |= {self.lock.name} if is_lock_file(self.lock) else set()
        made |= {path.name for path in self.root.glob(f"{self.identity.name}*") if is_identity_file(path)}
        foreign = {path.name for path in self.root.iterdir()} - made - {_OF_THE_FILE_SYSTEM}
        return min(foreign, default="")

    def make_slot(self, name: str) -> Path:
        """Make the folder of a slot, or take the one that is there; raises FolderError for what is no folder of ours.

        A link to one above all: what it leads to would be cleared like a slot.
        """
        slot = self.slot(name)
        with file_errors(f"make the slot {slot}", FolderError):
            _folder_at(slot, "move the link away")
            slot.mkdir(mode=0o700, parents=True, exist_ok=True)
        return slot


def is_empty(folder: Path) -> bool:
    """Whether nothing lies in a folder. Raises OSError."""
    with os.scandir(folder) as entries:
        return next(entries, None) is None


def is_slot(path: Path) -> bool:
    """Whether a folder below `work/` was made as a slot: it bears our lock file, or nothing lies in it yet."""
    return not path.is_symlink() and path.is_dir() and (is_lock_file(path / "lock") or is_empty(path))


def _one_part(name: str) -> str:
    """`name`, which must stay one part of a path: names come from declarations, and one slip would delete elsewhere."""
    if name in {"", ".", ".."} or "/" in name or "\0" in name:
        raise FolderError(f"{name!r} names no entry of a folder")
    return name


def _folder_at(path: Path, about_links: str) -> os.stat_result | None:
    """The look of a folder, None where there is nothing; raises FolderError for anything else.

    `about_links` is the hint where it is a symbolic link.
    """
    try:
        info = path.lstat()
    except FileNotFoundError:
        return None
    if stat.S_ISLNK(info.st_mode):
        raise FolderError(f"the state folder's {path} is a symbolic link", about_links)
    if not stat.S_ISDIR(info.st_mode):
        raise _no_folder(path)
    return info


def _no_folder(path: Path) -> FolderError:
    return FolderError(f"the state folder's {path} is no folder", "move it away, or name another folder with --state")


def _refuse_foreign(path: Path) -> None:
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
