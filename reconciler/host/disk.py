"""Measures the size of folders, and of what Docker's engine stores."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

from attrs import frozen

from reconciler.host.command_runner import nearest_existing
from state.disk_use import DiskUse

_BLOCK = 512
_OF_CANDIDATE = ("candidate", "saving")


class EngineSizes(Protocol):
    """Reports what Docker's engine stores on this host.

    * `folders` returns the folders in which the engine keeps its data.
    * `images` returns how many bytes all images take.
    * `volumes` returns how many bytes the volumes of all slots below a folder take.
    """

    def folders(self) -> Iterable[Path]: ...

    def images(self) -> int: ...

    def volumes(self, folder: Path) -> int: ...


@frozen
class HostDisk:
    """Measures free and used space on this host: implements the port Disk.

    `state` is the state folder. `engine` reports what Docker's engine stores; None if no engine is used.
    """

    state: Path
    engine: EngineSizes | None = None

    def free(self) -> int:
        places = [nearest_existing(self.state), *(self.engine.folders() if self.engine is not None else ())]
        return min(_free(place) for place in places)

    def free_of_state(self) -> int:
        return _free(nearest_existing(self.state))

    def use(self, folder: Path) -> DiskUse:
        candidate = sum(self.size(folder / name) for name in _OF_CANDIDATE)
        volumes, images = (self.engine.volumes(folder), self.engine.images()) if self.engine is not None else (0, 0)
        return DiskUse(max(0, self.size(folder) - candidate), candidate, volumes, images)

    def size(self, folder: Path) -> int:
        return size_of(folder)


def size_of(folder: Path) -> int:
    """Return how many bytes the files below a folder take on the disk. A file with several hard links counts once.

    Files that disappear meanwhile, and folders that cannot be read, are left out.
    """
    return sum({(info.st_dev, info.st_ino): info.st_blocks * _BLOCK for info in _files_below(folder)}.values())


def _files_below(folder: Path) -> Iterator[os.stat_result]:
    for parent, _, files in os.walk(folder):
        for name in files:
            try:
                yield os.lstat(os.path.join(parent, name))  # noqa: PTH118  a path for each file would take longer
            except FileNotFoundError:
                continue


def _free(place: Path) -> int:
    disk = os.statvfs(place)
    return disk.f_bavail * disk.f_frsize
