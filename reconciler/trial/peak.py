"""Measures how much of the disk a trial takes at its peak."""

from contextlib import suppress
from pathlib import Path

from attrs import define, evolve

from reconciler.errors import CanonError
from reconciler.ports.disk import Disk
from state.disk_use import DiskUse


@define
class PeakMeter:
    """Keeps the largest of several measurements. `folder` is the trial's working folder.

    `images_before` are the bytes of all images when the trial began: only what it pulled counts. `peak` is None before
    the first measurement, and if none succeeded.
    """

    disk: Disk | None
    folder: Path
    images_before: int = 0
    peak: DiskUse | None = None

    def begin(self) -> None:
        """Measure the images that are there before the trial."""
        if (use := self._measured()) is not None:
            self.images_before = use.images

    def measure(self) -> None:
        """Measure now. Raise no error: a trial does not depend on it."""
        if (use := self._measured()) is not None:
            use = evolve(use, images=max(0, use.images - self.images_before))
            self.peak = max(filter(None, (self.peak, use)), key=lambda each: each.total)

    def _measured(self) -> DiskUse | None:
        with suppress(CanonError, OSError):
            return self.disk.use(self.folder) if self.disk is not None else None
        return None
