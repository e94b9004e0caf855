"""Measures how much of the disk a trial takes at most."""

from contextlib import suppress
from pathlib import Path

from attrs import define, evolve

from reconciler.errors import CanonError
from reconciler.ports.disk import Disk
from state.disk_use import DiskUse


@define
class PeakMeter:
    """Measures several times how much of the disk a trial takes, and keeps the largest result.

    * `disk`: what measures the disk; None if nothing is to be measured.
    * `folder`: the working folder of the trial.
    * `images_before`: how many bytes all images took when the trial began. Only images pulled since then count.
    * `peak`: the largest result so far; None if there is none yet.
    """

    disk: Disk | None
    folder: Path
    images_before: int = 0
    peak: DiskUse | None = None

    def begin(self) -> None:
        """Measure what all images take before the trial, and keep that in `images_before`.

        If that cannot be measured, raise no error: all images then count as pulled by the trial.
        """
        if (use := self._measured()) is not None:
            self.images_before = use.images

    def measure(self) -> None:
        """Measure how much of the disk the trial takes now. Keep the result in `peak` if it is larger than all before.

        If it cannot be measured, raise no error, and leave `peak` as it is.
        """
        if (use := self._measured()) is not None:
            use = evolve(use, images=max(0, use.images - self.images_before))
            self.peak = max(filter(None, (self.peak, use)), key=lambda each: each.total)

    def _measured(self) -> DiskUse | None:
        with suppress(CanonError, OSError):
            return self.disk.use(self.folder) if self.disk is not None else None
        return None
