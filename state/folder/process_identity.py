"""Tell a process from every other one, also from a later process with the same number."""

import os
from pathlib import Path

from attrs import frozen

_PROC = Path("/proc")
_BOOT = _PROC / "sys/kernel/random/boot_id"
_ENDED = frozenset({b"Z", b"X", b"x"})


@frozen
class ProcessIdentity:
    """A process. `boot` is the id of the host's boot, `started` when the process started, in clock ticks since then."""

    pid: int
    boot: str
    started: int


def own_identity() -> ProcessIdentity:
    """Return the identity of this process. Raise OSError if /proc cannot be read."""
    _, started = _state_and_start(os.getpid())
    return ProcessIdentity(os.getpid(), _BOOT.read_text("ascii").strip(), started)


def is_running(process: ProcessIdentity) -> bool:
    """Whether this very process runs. False if it has ended, or if it cannot be seen from here."""
    try:
        if _BOOT.read_text("ascii").strip() != process.boot:
            return False
        state, started = _state_and_start(process.pid)
    except OSError:
        return False
    return state not in _ENDED and started == process.started


def _state_and_start(pid: int) -> tuple[bytes, int]:
    """Return the state of a process, a letter, and when it started, in ticks: fields 3 and 22 of /proc/PID/stat."""
    fields = (_PROC / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()
    return fields[0], int(fields[19])
