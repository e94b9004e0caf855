"""The protocol of what measures the disk."""

from pathlib import Path
from typing import Protocol

from state.disk_use import DiskUse


class Disk(Protocol):
    """Measures the disk of the state folder and, on a Swarm, the disk of the engine's images and volumes."""

    def free(self) -> int:
        """Return how many bytes are free on the disk of the state folder.

        If the engine's images and volumes are on another disk, return the smaller of the two numbers. Raise OSError or
        CanonError if this cannot be measured.
        """

    def free_of_state(self) -> int:
        """Return how many bytes are free on the disk of the state folder, without a call to the engine.

        Raise OSError if this cannot be measured.
        """

    def use(self, folder: Path, /) -> DiskUse:
        """Return how much of the disk a trial takes now, in bytes. `folder` is the trial's working folder.

        The volumes of the trial's slots count as well. `images` in the result is the size of all images of the engine,
        not only of the trial's. Raise OSError or CanonError if this cannot be measured.
        """

    def size(self, folder: Path, /) -> int:
        """Return how many bytes the files below a folder take; 0 if there is no such folder."""
