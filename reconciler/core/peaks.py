"""Remembers how much of the disk the last trials of a recipe took."""

from typing import Final

from attrs import evolve

from state.disk_use import DiskUse
from state.records import Memory

KEPT_PEAKS: Final = 3
"""How many of a recipe's last trials are remembered with what they took of the disk. The largest amount counts."""


def peak_of(memory: Memory) -> DiskUse | None:
    """Return the most that one of the recipe's last trials took of the disk; None if this was never measured."""
    return max(memory.peaks, key=lambda use: use.total, default=None)


def with_peak(memory: Memory, peak: DiskUse | None) -> Memory:
    """Return the memory with one more peak: `peak` is the most that a trial took of the disk; None if not measured.

    Only the last `KEPT_PEAKS` peaks are kept. If `peak` is None, none is added.
    """
    return memory if peak is None else evolve(memory, peaks=(peak, *memory.peaks)[:KEPT_PEAKS])
