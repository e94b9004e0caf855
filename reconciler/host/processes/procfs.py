"""Reads the processes of this host from /proc, and stops them."""

import os
import select
import signal
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from pathlib import Path

from attrs import frozen

SLOT_MARK = "CANON_SLOT"
RUN_MARK = "CANON_RUN"
# The id of the state folder. The slot mark alone is not unique: a host and a container may have slots of the same path.
STATE_MARK = "CANON_STATE"

_PF_KTHREAD = 0x00200000  # as in linux/sched.h
_ROUNDS = 50
_PATIENCE = 0.2
_PAUSE = 0.01


@frozen
class Process:
    """One process, as /proc showed it at one moment.

    * `parent`: the pid of its parent. `session`: the id of its session.
    * `state`: the letter that /proc shows: Z for a process that has ended and waits to be reaped.
    * `started`: when it started, in clock ticks since boot.
    * `is_kernel_thread`: whether it is a part of the kernel, which runs no program.
    """

    pid: int
    parent: int
    session: int
    state: str
    started: int
    name: str
    is_kernel_thread: bool

    @property
    def key(self) -> tuple[int, int]:
        """Return pid and start time. They identify a process; a pid alone may be used again."""
        return self.pid, self.started


def read_process(pid: int) -> Process | None:
    """Return the process with this pid; None if there is none."""
    stat = _read(f"/proc/{pid}/stat", 1024)
    if not stat:
        return None
    # The name is in brackets, and may contain brackets and blanks.
    head, _, tail = stat.rpartition(b")")
    fields = tail.split(None, 20)
    name = head.partition(b"(")[2].decode("utf-8", "backslashreplace")
    state, is_kernel_thread = fields[0].decode("ascii"), bool(int(fields[6]) & _PF_KTHREAD)
    return Process(pid, int(fields[1]), int(fields[3]), state, int(fields[19]), name, is_kernel_thread)


def _read(path: str, size: int) -> bytes:
    """Return the whole content of a file, read in pieces of `size` bytes; b"" if it cannot be read.

    This must be fast: to list all processes, hundreds of files are read.
    """
    try:  # quicker than `suppress`
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            whole = part = os.read(descriptor, size)
            while len(part) == size:
                part = os.read(descriptor, size)
                whole += part
        finally:
            os.close(descriptor)
    except OSError:
        return b""
    return whole


def is_same(process: Process) -> bool:
    """Return whether `process` still has its pid. Otherwise it is gone, and another process may have the pid.

    A process that has ended keeps its pid until its parent reaps it.
    """
    now = read_process(process.pid)
    return now is not None and now.started == process.started


def living_processes() -> tuple[Process, ...]:
    """Return all processes of this host, without kernel threads and those that have ended and wait to be reaped.

    Kernel threads have no environment, and are neither parents nor children of processes that run programs of apps.
    """
    numbers = (int(name) for name in os.listdir("/proc") if name.isdigit())  # noqa: PTH208 - names are all that is wanted
    table = filter(None, map(read_process, numbers))
    return tuple(process for process in table if process.state not in "ZX" and not process.is_kernel_thread)


def mark_of(process: Process, variable: str) -> str | None:
    """Return the value that the environment variable `variable` had when the program of `process` was started.

    Return None if it was not set, or if the environment cannot be read.
    """
    wanted = b"\0" + variable.encode() + b"="
    # The environment is a list of NAME=VALUE, each followed by a NUL byte.
    _, found, rest = (b"\0" + _read(f"/proc/{process.pid}/environ", 16 * 1024)).partition(wanted)
    # Another process may have taken the pid before its environment was read.
    return os.fsdecode(rest.partition(b"\0")[0]) if found and is_same(process) else None


def descendants(roots: Iterable[Process], among: Iterable[Process]) -> tuple[Process, ...]:
    """Return the processes `roots`, and all their descendants among the processes `among`.

    A parent may have been reaped since it was read. Then its pid may belong to a new process, and what looks like
    its children may be those of the new process. So no children of such a parent are returned.
    """
    by_parent: dict[int, list[Process]] = defaultdict(list)
    for process in among:
        by_parent[process.parent].append(process)
    members = {root.key: root for root in roots}
    waiting = list(members.values())
    while waiting:
        parent = waiting.pop()
        new = [child for child in by_parent[parent.pid] if child.key not in members and child.started >= parent.started]
        if new and is_same(parent):
            members |= {child.key: child for child in new}
            waiting += new
    return tuple(members.values())


def children() -> tuple[Process, ...]:
    """Return the children of this process, also adopted ones, and those that have ended and wait to be reaped.

    This is fast, but may miss a child while another one ends. To find all processes of a slot, use the mark of the
    slot.
    """
    pids: set[str] = set()
    for task in Path("/proc/self/task").iterdir():
        with suppress(OSError):
            pids.update((task / "children").read_text("ascii").split())
    return tuple(process for pid in pids if (process := read_process(int(pid))))


def ancestors() -> frozenset[int]:
    """Return the pids of this process and of all its ancestors."""
    pids = {os.getpid()}
    process = read_process(os.getpid())
    while process and process.parent and process.parent not in pids:
        pids.add(process.parent)
        process = read_process(process.parent)
    return frozenset(pids)


def marked_below(root: Path, among: Iterable[Process]) -> tuple[Process, ...]:
    """Return those processes in `among` that belong to slots at or below the folder `root`.

    A process belongs to a slot if CANON_SLOT, the mark of the slot, is in its environment. This process and its
    ancestors are left out.
    """
    excluded = ancestors()
    return tuple(process for process in among if process.pid not in excluded and _is_below(process, root))


def _is_below(process: Process, root: Path) -> bool:
    """Return whether a process has CANON_SLOT in its environment, with the path `root` or one below it."""
    mark = mark_of(process, SLOT_MARK)
    return mark is not None and Path(mark).is_relative_to(root)


def of_state_folder(processes: Iterable[Process], state: str | None) -> tuple[Process, ...]:
    """Return those of the processes that belong to the state folder with the id `state`, or to none.

    A process belongs to none if its environment has no id of a state folder. If `state` is None, return only processes
    that belong to none.
    """
    return tuple(process for process in processes if mark_of(process, STATE_MARK) in {None, state})


def send(process: Process, number: signal.Signals) -> None:
    """Send the signal `number` to a process. Do nothing if it is gone, or belongs to another user."""
    with suppress(ProcessLookupError, PermissionError):
        handle = os.pidfd_open(process.pid)
        try:
            now = read_process(process.pid)
            if now and now.started == process.started:
                signal.pidfd_send_signal(handle, number)
        finally:
            os.close(handle)


def wait_until_ended(processes: Iterable[Process], seconds: float) -> None:
    """Wait until all of `processes` have ended, but at most `seconds`."""
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
    """Call `find` again and again until it returns no process, but at most for `seconds`."""
    until = time.monotonic() + seconds
    while (processes := find()) and (left := until - time.monotonic()) > 0:
        wait_until_ended(processes, left)
        time.sleep(_PAUSE)


def kill_all(find: Callable[[], Collection[Process]]) -> tuple[Process, ...]:
    """Send SIGKILL to the processes that `find` returns, until it returns none. Return all that got the signal.

    After 50 rounds (_ROUNDS) give up, and raise nothing: processes of other users, or in an uninterruptible sleep,
    cannot be killed. They are returned like the killed ones, and still run.
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
    """Send SIGTERM to the processes that `find` returns. After `grace` seconds, send SIGKILL to those still there.

    Return all processes that got a signal, and those of them that got SIGKILL.
    """
    signalled = tuple(find())
    for process in signalled:
        ask_to_stop(process)
    wait_until_none(find, grace)
    killed = kill_all(find)
    return tuple({process.key: process for process in (*signalled, *killed)}.values()), killed


def ask_to_stop(process: Process) -> None:
    """Send SIGTERM to a process, and then SIGCONT: a suspended process handles SIGTERM only once it continues."""
    send(process, signal.SIGTERM)
    send(process, signal.SIGCONT)
