"""Tells a process from every other one, even from a later process with the same number."""

import os
from pathlib import Path

from attrs import frozen

_PROC = Path("/proc")
_BOOT = _PROC / "sys/kernel/random/boot_id"
_NAMESPACE = _PROC / "self/ns/pid"
_ENDED = frozenset({b"Z", b"X", b"x"})


@frozen
class ProcessIdentity:
    """What tells a process from every other one, even from a later one with the same `pid`.

    * `boot`: the id of the host's boot.
    * `started`: when the process started, in clock ticks since that boot.
    * `namespace`: where the process has this `pid`; a container has a namespace of its own.
    """

    pid: int
    boot: str
    started: int
    namespace: str


def own_identity() -> ProcessIdentity:
    """Return the identity of this process. Raise OSError if /proc cannot be read."""
    _, started = _state_and_start(os.getpid())
    return ProcessIdentity(os.getpid(), _boot(), started, _namespace())


def is_running(process: ProcessIdentity) -> bool | None:
    """Return whether exactly this process runs; False also if /proc cannot be read.

    Return None if the process is in another namespace (such as a container), where it cannot be seen from here.
    """
    try:
        if _boot() != process.boot:
            return False
        if _namespace() != process.namespace:
            return None
        state, started = _state_and_start(process.pid)
    except OSError:
        return False
    return state not in _ENDED and started == process.started


def _boot() -> str:
    return _BOOT.read_text("ascii").strip()


def _namespace() -> str:
    return str(_NAMESPACE.readlink())


def _state_and_start(pid: int) -> tuple[bytes, int]:
    """Return the state of a process as one letter, such as b"S", and its start in clock ticks since the boot.

    Raise OSError if there is no such process.
    """
    return state_and_start((_PROC / str(pid) / "stat").read_bytes())


def state_and_start(stat: bytes) -> tuple[bytes, int]:
    """Return the state of a process as one letter, such as b"S", and its start in clock ticks since the boot.

    `stat` is the content of /proc/PID/stat. The two values are its fields 3 and 22.
    """
    fields = stat.rpartition(b")")[2].split()
    return fields[0], int(fields[19])
