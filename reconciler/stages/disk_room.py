"""Measures the free space for trials. If the disk cannot be measured, the pass goes on."""

from collections.abc import Iterable
from contextlib import suppress

from attrs import frozen

from desired.model import Fleet
from reconciler.core.disk_budget import TrialsBeside, no_room
from reconciler.core.peaks import peak_of
from reconciler.errors import CanonError, in_one_line
from reconciler.ports.host import Host
from state.records import Memory


@frozen
class FreeSpace:
    """How much room trials have on the disks of this host.

    * `free`: how many bytes are free on the disk of the state folder, or on that of the engine's images and volumes if
      fewer are free there; None if that is unknown or not asked for.
    * `note`: a text which says that a disk could not be measured, and with what trials are compared instead. "" if
      all disks were measured, or if none had to be. If only the engine's disk failed, `free` is still a number.
    """

    free: int | None
    note: str = ""


def free_space(host: Host, fleet: Fleet) -> FreeSpace:
    """Return how much room trials have on the disks of this host. If the fleet has no `[budget] disk`, measure nothing.

    Raise no error. If the engine's disk cannot be measured, only the disk of the state folder counts; if that cannot be
    measured either, `free` is None. The field `note` says so.
    """
    if fleet.disk is None or host.disk is None:
        return FreeSpace(None)
    try:
        return FreeSpace(host.disk.free())
    except (CanonError, OSError) as failed:
        note = f"the disk could not be measured: {in_one_line(failed)}"
    free = free_of_state(host)
    left = "the disk with the state folder" if free is not None else "[budget] disk"
    return FreeSpace(free, f"{note}; trials are compared with {left} alone")


def free_of_state(host: Host) -> int | None:
    """Return how many bytes are free on the disk with the state folder; None if it cannot be measured."""
    with suppress(CanonError, OSError):
        return host.disk.free_of_state() if host.disk is not None else None
    return None


def why_no_room(host: Host, fleet: Fleet, memory: Memory, beside: TrialsBeside) -> str:
    """Return why the disk has no room for a trial now; "" if it has room, or if this cannot be judged.

    `memory` is what passes remember of the trial's recipe. `beside` is what trials that run now take of the disk.
    """
    if fleet.disk is None or host.disk is None:
        return ""
    return no_room(memory, fleet.disk, free_space(host, fleet).free, beside)


def trials_beside(host: Host, running: Iterable[Memory]) -> TrialsBeside:
    """Return how much of the disk the trials that run now probably take, and how much of that is still to be written.

    `running` are the memories of the recipes that are tried now. Each trial is expected to take as much as the largest
    of the recipe's last trials; a recipe for which this was never measured is left out.

    What is still to be written is that amount, less the present size of the trial's working folder. If this size cannot
    be measured, it counts as 0. What the trial has written to volumes and images already is not measured.
    """
    peaks = {memory.recipe: peak.total for memory in running if (peak := peak_of(memory)) is not None}
    to_come = sum(max(0, peak - _written(host, name)) for name, peak in peaks.items())
    return TrialsBeside(sum(peaks.values()), to_come)


def _written(host: Host, name: str) -> int:
    with suppress(CanonError, OSError):
        return host.disk.size(host.state.slot(name)) if host.disk is not None else 0
    return 0
