"""What a pass needs to know of the disk."""

from pathlib import Path
from typing import Protocol

from state.disk_use import DiskUse


class Disk(Protocol):
    """Measures the disk on which the state folder, and on a Swarm the engine's images and volumes lie."""

    def free(self) -> int:
        """Return how many bytes are free: where two disks are used, the smaller number. Raise OSError or CanonError."""

    def use(self, folder: Path, /) -> DiskUse:
        """Return what the working folder of a trial takes now, with the volumes of its slots.

        `images` has all images of the engine. Raise OSError or CanonError if that cannot be measured.
        """

    def size(self, folder: Path, /) -> int:
        """Return how many bytes the files below a folder take; 0 if there is no such folder."""
