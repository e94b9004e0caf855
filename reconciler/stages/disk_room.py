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

    * `free`: the free bytes on the disk of the state folder, or on the engine's disk (of images and volumes) if it has
      fewer. None if no disk could be measured, or if none had to be.
    * `note`: "" if all disks were measured, or if none had to be. Otherwise a text which says that a disk could not be
      measured, and with what trials are compared instead. If only the engine's disk failed, `free` is still a number.
    """

    free: int | None
    note: str = ""


def free_space(host: Host, fleet: Fleet) -> FreeSpace:
    """Return how much room trials have on the disks of this host. If the fleet has no `[budget] disk`, measure nothing.

    Raise no error. If the engine's disk cannot be measured, only the disk of the state folder counts. If the disk of
    the state folder cannot be measured either, `free` is None. In both cases, `note` says why.
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
    """Return two amounts of disk: what the trials that run now probably take, and what they have yet to write.

    `running` are the memories of the recipes that are tried now. Each trial is expected to take as much as the largest
    of the recipe's last trials took. A recipe none of whose trials was measured is left out.

    A trial has yet to write the expected amount, less the present size of its working folder. A working folder that
    cannot be measured counts as empty. What the trial has already written to volumes and images is not subtracted.
    """
    peaks = {memory.recipe: peak.total for memory in running if (peak := peak_of(memory)) is not None}
    to_come = sum(max(0, peak - _written(host, name)) for name, peak in peaks.items())
    return TrialsBeside(sum(peaks.values()), to_come)


def _written(host: Host, name: str) -> int:
    with suppress(CanonError, OSError):
        return host.disk.size(host.state.slot(name)) if host.disk is not None else 0
    return 0
