"""Who runs on this host, as the kernel tells it, and how to end some of them for good."""

import os
import select
import signal
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from attrs import frozen

SLOT_MARK = "CANON_SLOT"
RUN_MARK = "CANON_RUN"

_ROUNDS = 50
_PATIENCE = 0.2


@frozen
class Process:
    """One process as seen at one moment; `started` (clock ticks since boot) tells it from a later bearer of `pid`."""

    pid: int
    parent: int
    session: int
    state: str
    started: int
    name: str


def glance(pid: int) -> Process | None:
    """The process `pid`, None when there is none."""
    stat = _read(f"/proc/{pid}/stat", 1024)
    if not stat:
        return None
    # The name stands in brackets and may itself hold brackets and blanks.
    head, _, tail = stat.rpartition(b")")
    fields = tail.split(None, 20)
    name = head.partition(b"(")[2].decode("utf-8", "backslashreplace")
    return Process(pid, int(fields[1]), int(fields[3]), fields[0].decode("ascii"), int(fields[19]), name)


def _read(path: str, size: int) -> bytes:
    """All of a file of about `size` bytes, nothing where we may not look. Hundreds are read at every look of ours."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            whole = part = os.read(descriptor, size)
            while len(part) == size:
                part = os.read(descriptor, size)
                whole += part
        finally:
            os.close(descriptor)
        return whole
    return b""


def everyone() -> tuple[Process, ...]:
    """All processes that live; those which ended and wait to be reaped are left out."""
    return tuple(process for process in _table() if process.state not in "ZX")


def _table() -> Iterator[Process]:
    for name in os.listdir("/proc"):  # noqa: PTH208 - names are all that is wanted
        if name.isdigit() and (process := glance(int(name))):
            yield process


def mark_of(process: Process, variable: str) -> str | None:
    """The value that `variable` had when the process's program started; None without it, or where we may not look."""
    wanted = b"\0" + variable.encode() + b"="
    _, found, rest = (b"\0" + _environment(process.pid)).partition(wanted)
    return os.fsdecode(rest.partition(b"\0")[0]) if found else None


def _environment(pid: int) -> bytes:
    """What the program was started with."""
    return _read(f"/proc/{pid}/environ", 16 * 1024)


def descendants(roots: Collection[int], among: Iterable[Process]) -> tuple[Process, ...]:
    """Those of `among` that descend from one of the pids `roots`, the roots themselves included."""
    processes = tuple(among)
    members = set(roots)
    size = -1
    while size != len(members):
        size = len(members)
        members |= {process.pid for process in processes if process.parent in members}
    return tuple(process for process in processes if process.pid in members)


def children() -> tuple[Process, ...]:
    """Our own children, adopted ones and those that wait to be reaped included.

    Cheap, and may overlook one while others of them end: whoever needs all of a slot's processes asks for its mark.
    """
    pids: set[str] = set()
    for task in Path("/proc/self/task").iterdir():
        with suppress(OSError):
            pids.update((task / "children").read_text("ascii").split())
    return tuple(process for pid in pids if (process := glance(int(pid))))


def ancestors() -> frozenset[int]:
    """Our own pid and those of everyone above."""
    pids = {os.getpid()}
    process = glance(os.getpid())
    while process and process.parent and process.parent not in pids:
        pids.add(process.parent)
        process = glance(process.parent)
    return frozenset(pids)


def marked(root: Path) -> tuple[Process, ...]:
    """Living processes whose slot is `root` or lies below it; never ourselves or whoever started us."""
    spared = ancestors()
    return tuple(process for process in everyone() if process.pid not in spared and _lies_below(process, root))


def _lies_below(process: Process, root: Path) -> bool:
    mark = mark_of(process, SLOT_MARK)
    return mark is not None and Path(mark).is_relative_to(root)


def send(process: Process, number: signal.Signals) -> None:
    """Signal exactly this process, never a later bearer of its pid."""
    with suppress(ProcessLookupError, PermissionError):
        handle = os.pidfd_open(process.pid)
        try:
            now = glance(process.pid)
            if now and now.started == process.started:
                signal.pidfd_send_signal(handle, number)
        finally:
            os.close(handle)


def wait_gone(processes: Iterable[Process], seconds: float) -> None:
    """Return when all of `processes` have ended, or after `seconds`."""
    until = time.monotonic() + seconds
    for process in processes:
        with suppress(ProcessLookupError):
            handle = os.pidfd_open(process.pid)
            try:
                poller = select.poll()
                poller.register(handle, select.POLLIN)
                now = glance(process.pid)
                if now and now.started == process.started:
                    poller.poll(max(0.0, until - time.monotonic()) * 1000)
            finally:
                os.close(handle)


def end(find: Callable[[], Collection[Process]], grace: float) -> tuple[Process, ...]:
    """Ask what `find` finds to end, wait `grace` seconds, then kill until nothing is found any more.

    Returns everything that had to be ended. What cannot be killed (asleep in the kernel, another user's) is given up.
    """
    found = find()
    ended = {(process.pid, process.started): process for process in found}
    for process in found:
        send(process, signal.SIGTERM)
    wait_gone(found, grace)
    for _ in range(_ROUNDS):
        found = find()
        if not found:
            break
        ended |= {(process.pid, process.started): process for process in found}
        for process in found:
            send(process, signal.SIGKILL)
        wait_gone(found, _PATIENCE)
    return tuple(ended.values())
