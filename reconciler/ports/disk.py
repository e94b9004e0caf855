"""What a pass needs to know of the disk."""

from pathlib import Path
from typing import Protocol

from state.disk_use import DiskUse


class Disk(Protocol):
    """Measures the disk with the state folder, and on a Swarm also the disk with the engine's images and volumes."""

    def free(self) -> int:
        """Return how many bytes are free: where two disks are used, the smaller number.

        Raise OSError or CanonError if that cannot be measured.
        """

    def free_of_state(self) -> int:
        """Return how many bytes are free on the disk with the state folder. Ask no engine. Raise OSError."""

    def use(self, folder: Path, /) -> DiskUse:
        """Return how many bytes a trial takes now; `folder` is its working folder.

        The volumes of its slots count as well. `images` in the result counts all images of the engine, not only those
        of the trial. Raise OSError or CanonError if that cannot be measured.
        """

    def size(self, folder: Path, /) -> int:
        """Return how many bytes the files below a folder take; 0 if there is no such folder."""
