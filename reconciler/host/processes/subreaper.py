"""Adopts and reaps orphans: descendants of this process whose parent died. Finds all processes of a command or slot."""

import os
import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path

from attrs import frozen

from reconciler.errors import InfrastructureError
from reconciler.host.processes.procfs import (
    RUN_MARK,
    SLOT_MARK,
    Process,
    children,
    descendants,
    living_processes,
    mark_of,
    marked_below,
    of_state_folder,
    read_process,
)

_PR_SET_CHILD_SUBREAPER = 36

# Held while a process starts and while processes are listed, so that no child is listed before it is claimed.
starting = threading.RLock()


@frozen
class _Claim:
    """A child that `reap` leaves alone, because the code that started it reads its exit status.

    `mark` is the mark of its slot, "" for none. `collected` returns whether the exit status has been read.
    """

    mark: str
    collected: Callable[[], bool]


Key = tuple[int, int]
"""Pid and start time of a process: the kernel uses a pid again after its process was reaped."""

_claimed: dict[Key, _Claim] = {}

# The children of this process when a slot began.
_before_slot: dict[str, frozenset[Key]] = {}


def adopt_orphans() -> None:
    """Make this process, instead of init, the parent of every descendant whose parent dies from now on.

    Raises InfrastructureError if the kernel refuses.
    """
    import ctypes

    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise InfrastructureError(f"cannot become the parent of orphans: {os.strerror(ctypes.get_errno())}")


def claim(pid: int, mark: str, collected: Callable[[], bool]) -> Process | None:
    """Record that `reap` must leave the child `pid` alone: the code that started it reads its exit status itself.

    Returns the child, None if it is gone. `mark` is the mark of the child's slot, "" for none. `collected` returns
    whether the child has been reaped. The caller must hold the lock `starting`, and must have taken it before it
    started the child.
    """
    process = read_process(pid)
    if process is None or process.parent != os.getpid():
        return None
    _claimed[process.key] = _Claim(mark, collected)
    return process


def release(process: Process) -> None:
    _claimed.pop(process.key, None)


def reap() -> None:
    """Reap the processes that this process adopted and that have ended.

    Leaves alone the children that `claim` recorded, and children in the session of this process, which `host/run.py`
    did not start.
    """
    with starting:
        for key in [key for key, claimed in _claimed.items() if claimed.collected()]:
            del _claimed[key]
        for process in _adopted():
            if process.state == "Z":
                with suppress(ChildProcessError):
                    os.waitpid(process.pid, os.WNOHANG)


def _adopted() -> tuple[Process, ...]:
    # `host/run.py` starts everything in a session of its own, so its orphans are in another session than this process.
    session = os.getsid(0)
    return tuple(process for process in children() if process.session != session and process.key not in _claimed)


def child_keys() -> frozenset[Key]:
    """Return the keys of all children of this process."""
    return frozenset(process.key for process in children())


def unmarked_orphans(known: Collection[Key]) -> tuple[Process, ...]:
    """Return the running processes that carry no mark, and that this process adopted after their parent died.

    Leaves out those among the children `known`.
    """
    with starting:
        orphans = tuple(process for process in _adopted() if process.state != "Z" and process.key not in known)
    return tuple(process for process in orphans if not mark_of(process, RUN_MARK) and not mark_of(process, SLOT_MARK))


def has_orphans(known: Collection[Key]) -> bool:
    """Whether this process has adopted a process, running or ended, that is not among the children `known`."""
    with starting:
        return any(process.key not in known for process in _adopted())


def of_command(leader: Process | None, pid: int, token: str, known: Collection[Key]) -> tuple[Process, ...]:
    """Return all processes of one command, and their descendants: its session, those with its token, unmarked orphans.

    `leader` is the process that was started as `pid`, None if it ended before it could be read. `token` is the value of
    CANON_RUN in the command's environment. Unmarked orphans are processes without a mark that this process adopted and
    that are not among the children `known`.
    """
    with starting:
        table = living_processes()
    roots = [*unmarked_orphans(known), *(process for process in table if mark_of(process, RUN_MARK) == token)]
    roots += [process for process in table if leader is not None and process.key == leader.key]
    roots += _of_session(leader, pid, table)
    return descendants(roots, table)


def _of_session(leader: Process | None, pid: int, table: Collection[Process]) -> list[Process]:
    """Return the processes of `table` in the session that our child `pid` began, if they descend from our own process.

    Returns none if another process than `leader` has this pid now: the kernel gives the number of a session to a new
    process only after all members of the session have ended. Leaves out processes with a CANON_RUN token in their
    environment: the token tells which command they belong to.
    """
    now = read_process(pid)
    if now is not None and (leader is None or now.key != leader.key):
        return []
    ourselves = [process for process in table if process.pid == os.getpid()]
    below = {process.key for process in descendants(ourselves, table)}
    members = (process for process in table if process.session == pid and process.key in below)
    return [process for process in members if not mark_of(process, RUN_MARK)]


def note_slot(mark: str) -> None:
    """Note the children of this process when the slot `mark` begins. The caller must hold `starting`."""
    _before_slot.setdefault(mark, child_keys())


def _lives(key: Key) -> bool:
    process = read_process(key[0])
    return process is not None and process.key == key and process.state != "Z"


def of_slot(mark: str, state: str | None = None) -> tuple[Process, ...]:
    """Return all processes that carry the mark of a slot or of a folder below it, and all their descendants.

    Marked processes with the id of another state folder than `state` do not count. Unmarked processes that this process
    adopted after the slot began do count, unless a command outside the slot still runs: they may have come from it.
    """
    processes = of_state_folder(marked_below(Path(mark)), state)
    with starting:
        others = any(claimed.mark != mark and _lives(key) for key, claimed in _claimed.items())
    if mark in _before_slot and not others:
        processes += unmarked_orphans(_before_slot[mark])
    return descendants(processes, living_processes())
