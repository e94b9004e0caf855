"""Reads the processes of this host from /proc, and stops them."""

import os
import select
import signal
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from attrs import frozen

SLOT_MARK = "CANON_SLOT"
RUN_MARK = "CANON_RUN"
# The id of the state folder. The slot mark is not enough: a host and its container may each have one of the same path.
STATE_MARK = "CANON_STATE"

_ROUNDS = 50
_PATIENCE = 0.2
_PAUSE = 0.01


@frozen
class Process:
    """One process at one moment. `started` is its start in clock ticks since boot: a pid may be used again.

    `parent` is the pid of its parent. `state` is the letter that /proc shows, such as Z for a process to be reaped.
    """

    pid: int
    parent: int
    session: int
    state: str
    started: int
    name: str

    @property
    def key(self) -> tuple[int, int]:
        """Identifies the process among all since the host booted."""
        return self.pid, self.started


def read_process(pid: int) -> Process | None:
    """Return the process `pid`, None if there is none."""
    stat = _read(f"/proc/{pid}/stat", 1024)
    if not stat:
        return None
    # The name is in brackets, and may contain brackets and blanks.
    head, _, tail = stat.rpartition(b")")
    fields = tail.split(None, 20)
    name = head.partition(b"(")[2].decode("utf-8", "backslashreplace")
    return Process(pid, int(fields[1]), int(fields[3]), fields[0].decode("ascii"), int(fields[19]), name)


def _read(path: str, size: int) -> bytes:
    """Return the content of a file, b"" if it cannot be read. `size` is about its length in bytes.

    Has to be fast: each list of processes reads hundreds of files.
    """
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


def is_same(process: Process) -> bool:
    """Whether the pid still belongs to this process, even if it has ended and waits to be reaped."""
    now = read_process(process.pid)
    return now is not None and now.started == process.started


def living_processes() -> tuple[Process, ...]:
    """Return all processes but those that have ended and wait to be reaped."""
    return tuple(process for process in _table() if process.state not in "ZX")


def _table() -> Iterator[Process]:
    for name in os.listdir("/proc"):  # noqa: PTH208 - names are all that is wanted
        if name.isdigit() and (process := read_process(int(name))):
            yield process


def mark_of(process: Process, variable: str) -> str | None:
    """Return `variable` as the program got it at its start; None if it is not set or cannot be read."""
    wanted = b"\0" + variable.encode() + b"="
    _, found, rest = (b"\0" + _environment(process.pid)).partition(wanted)
    # Another process may have taken the pid before its environment was read.
    return os.fsdecode(rest.partition(b"\0")[0]) if found and is_same(process) else None


def _environment(pid: int) -> bytes:
    """Return the environment with which the program was started."""
    return _read(f"/proc/{pid}/environ", 16 * 1024)


def descendants(roots: Iterable[Process], among: Iterable[Process]) -> tuple[Process, ...]:
    """Return `roots` and those of `among` that descend from them.

    Children count only while their parent still has its pid: a new process may have got the pid since `among` was read.
    """
    by_parent: dict[int, list[Process]] = defaultdict(list)
    for process in among:
        by_parent[process.parent].append(process)
    members = {root.key: root for root in roots}
    waiting = list(members.values())
    while waiting:
        parent = waiting.pop()
        new = [each for each in by_parent[parent.pid] if each.key not in members and each.started >= parent.started]
        if new and is_same(parent):
            members |= {each.key: each for each in new}
            waiting += new
    return tuple(members.values())


def children() -> tuple[Process, ...]:
    """Return this process's children, with adopted ones and those that wait to be reaped.

    Cheap, but may miss one while others end. To find every process of a slot, use its mark.
    """
    pids: set[str] = set()
    for task in Path("/proc/self/task").iterdir():
        with suppress(OSError):
            pids.update((task / "children").read_text("ascii").split())
    return tuple(process for pid in pids if (process := read_process(int(pid))))


def ancestors() -> frozenset[int]:
    """Return the pid of this process and those of all its ancestors."""
    pids = {os.getpid()}
    process = read_process(os.getpid())
    while process and process.parent and process.parent not in pids:
        pids.add(process.parent)
        process = read_process(process.parent)
    return frozenset(pids)


def marked_below(root: Path) -> tuple[Process, ...]:
    """Return the processes whose slot is `root` or below it, without this process and its ancestors."""
    excluded = ancestors()
    return tuple(process for process in living_processes() if process.pid not in excluded and _is_below(process, root))


def _is_below(process: Process, root: Path) -> bool:
    mark = mark_of(process, SLOT_MARK)
    return mark is not None and Path(mark).is_relative_to(root)


def of_state_folder(processes: Iterable[Process], state: str | None) -> tuple[Process, ...]:
    """Return the processes whose environment has the id `state` of a state folder, or no such id."""
    return tuple(process for process in processes if mark_of(process, STATE_MARK) in {None, state})


def send(process: Process, number: signal.Signals) -> None:
    """Signal exactly this process, never a later one with its pid."""
    with suppress(ProcessLookupError, PermissionError):
        handle = os.pidfd_open(process.pid)
        try:
            now = read_process(process.pid)
            if now and now.started == process.started:
                signal.pidfd_send_signal(handle, number)
        finally:
            os.close(handle)


def wait_until_ended(processes: Iterable[Process], seconds: float) -> None:
    """Wait until all of `processes` have ended, at most `seconds`."""
    until = time.monotonic() + seconds
    for process in processes:
        with suppress(ProcessLookupError):
            handle = os.pidfd_open(process.pid)
            try:
                poller = select.poll()
                poller.register(handle, select.POLLIN)
                now = read_process(process.pid)
                if now and now.started == process.started:
                    poller.poll(max(0.0, until - time.monotonic()) * 1000)
            finally:
                os.close(handle)


def wait_until_none(find: Callable[[], Collection[Process]], seconds: float) -> None:
    """Wait until `find` finds nothing, at most `seconds`."""
    until = time.monotonic() + seconds
    while (processes := find()) and (left := until - time.monotonic()) > 0:
        wait_until_ended(processes, left)
        time.sleep(_PAUSE)


def kill_all(find: Callable[[], Collection[Process]]) -> tuple[Process, ...]:
    """Send SIGKILL to all that `find` finds, until it finds nothing. Returns all processes that got SIGKILL.

    Gives up after some rounds: processes of another user, or in uninterruptible sleep, cannot be killed.
    """
    killed: dict[tuple[int, int], Process] = {}
    for _ in range(_ROUNDS):
        processes = find()
        if not processes:
            break
        killed |= {process.key: process for process in processes}
        for process in processes:
            send(process, signal.SIGKILL)
        wait_until_ended(processes, _PATIENCE)
    return tuple(killed.values())


def stop_all(find: Callable[[], Collection[Process]], grace: float) -> tuple[tuple[Process, ...], tuple[Process, ...]]:
    """Send SIGTERM to what `find` finds, wait at most `grace` seconds until it finds nothing, then kill the rest.

    Returns all that had to be stopped, and those of them that had to be killed.
    """
    signalled = tuple(find())
    for process in signalled:
        ask_to_stop(process)
    wait_until_none(find, grace)
    killed = kill_all(find)
    return tuple({process.key: process for process in (*signalled, *killed)}.values()), killed


def ask_to_stop(process: Process) -> None:
    """Send SIGTERM, and SIGCONT so that a suspended process receives it."""
    send(process, signal.SIGTERM)
    send(process, signal.SIGCONT)
