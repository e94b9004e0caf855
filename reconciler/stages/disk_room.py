"""Measures the free space for trials. A disk that cannot be measured stops no pass."""

from contextlib import suppress

from attrs import frozen

from desired.model import Fleet
from reconciler.core.disk_budget import no_room
from reconciler.errors import CanonError, in_one_line
from reconciler.ports.disk import Disk
from reconciler.ports.host import Host
from state.records import Memory


@frozen
class FreeSpace:
    """How many bytes are free, None if that is unknown. `note` says what could not be measured; "" if all was."""

    free: int | None
    note: str = ""


def free_space(host: Host, fleet: Fleet) -> FreeSpace:
    """Return the free space of the disk. Measure nothing if the fleet declares no `[budget] disk`. Raise no error.

    If Docker's disk cannot be measured, the disk with the state folder counts alone, and the note says so.
    """
    if fleet.disk is None or host.disk is None:
        return FreeSpace(None)
    try:
        return FreeSpace(host.disk.free())
    except (CanonError, OSError) as failed:
        note = f"the disk could not be measured: {in_one_line(failed)}"
    free = _free_of_state(host.disk)
    left = "the disk with the state folder" if free is not None else "[budget] disk"
    return FreeSpace(free, f"{note}; trials are compared with {left} alone")


def _free_of_state(disk: Disk) -> int | None:
    with suppress(CanonError, OSError):
        return disk.free_of_state()
    return None


def why_no_room(host: Host, fleet: Fleet, memory: Memory, reserved: int) -> str:
    """Return why the disk has no room for a trial now, beside those that run; "" if it has, or if that is unknown.

    `reserved` are the bytes that running trials may still take.
    """
    if fleet.disk is None or host.disk is None:
        return ""
    free = free_space(host, fleet).free
    return no_room(memory, fleet.disk - reserved, free - reserved if free is not None else None)
