"""Adopts and reaps descendants of this process whose parent died. Finds all processes of a command or a slot."""

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
    kill_all,
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
    """A child whose exit status `reap` must not take, because the code that started the child reads the status itself.

    `mark` is the mark of its slot, "" for none. `collected` returns True once the exit status was read.
    """

    mark: str
    collected: Callable[[], bool]


Key = tuple[int, int]
"""Pid and start time of a process. The pid alone is not enough, because the kernel uses it again later."""

_claimed: dict[Key, _Claim] = {}

# The children of this process when a slot began.
_before_slot: dict[str, frozenset[Key]] = {}


def adopt_orphans() -> None:
    """Make this process, instead of init, the parent of each descendant whose own parent dies from now on.

    Raise InfrastructureError if the kernel refuses.
    """
    import ctypes

    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise InfrastructureError(f"cannot become the parent of orphans: {os.strerror(ctypes.get_errno())}")


def claim(pid: int, mark: str, collected: Callable[[], bool]) -> Process | None:
    """Record that `reap` must not take the exit status of the child `pid`. Return the child; None if it is gone.

    The code that started the child takes the status itself. `collected` returns True once that code has taken it.
    `mark` is the mark of the child's slot, "" for none. The caller must have held the lock `starting` since before it
    started the child.
    """
    process = read_process(pid)
    if process is None or process.parent != os.getpid():
        return None
    _claimed[process.key] = _Claim(mark, collected)
    return process


def forget_children() -> None:
    """Forget what this module has recorded of children. Call this in a process that was just forked.

    The recorded children are those of its parent.
    """
    _claimed.clear()
    _before_slot.clear()


def release(process: Process) -> None:
    """Forget that `claim` reserved the exit status of a process. Call this after the status was taken."""
    _claimed.pop(process.key, None)


def reap() -> None:
    """Take the exit status of each adopted process that has ended ("reap"), so that its pid becomes free.

    Children that were given to `claim` are left out: other code takes their status. Children in the session of this
    process are left out because they are not adopted: `host/run.py` starts every command in another session.
    """
    with starting:
        for key in [key for key, claimed in _claimed.items() if claimed.collected()]:
            del _claimed[key]
        for process in _adopted():
            if process.state == "Z":
                with suppress(ChildProcessError):
                    os.waitpid(process.pid, os.WNOHANG)


def _adopted() -> tuple[Process, ...]:
    """Return the children that this process adopted because their own parent died, also those that have ended."""
    # `host/run.py` starts every command in its own session, so what this process adopts is never in its session.
    session = os.getsid(0)
    return tuple(process for process in children() if process.session != session and process.key not in _claimed)


def child_keys() -> frozenset[Key]:
    """Return pid and start time of each child of this process, also of adopted ones and of those that have ended."""
    return frozenset(process.key for process in children())


def unmarked_orphans(known: Collection[Key]) -> tuple[Process, ...]:
    """Return the running processes that this process adopted, and that have neither CANON_RUN nor CANON_SLOT.

    An orphan is here a descendant of this process whose own parent has died, so that this process adopted it. With one
    of the two variables in its environment, it is found by that variable instead. Processes whose pid and start time
    are in `known` are left out.
    """
    with starting:
        orphans = tuple(process for process in _adopted() if process.state != "Z" and process.key not in known)
    return tuple(process for process in orphans if not mark_of(process, RUN_MARK) and not mark_of(process, SLOT_MARK))


def stop_adopted_commands() -> None:
    """Kill the commands that this process adopted because their worker died, and their descendants.

    Servers of apps are left to the cleanup of their slot. Commands of living workers are not adopted.
    """

    def find() -> tuple[Process, ...]:
        with starting:
            orphans = [process for process in _adopted() if mark_of(process, RUN_MARK)]
        return descendants(orphans, living_processes())

    kill_all(find)


def has_orphans(known: Collection[Key]) -> bool:
    """Return whether this process has adopted a process, running or ended, that is not in `known`.

    `known` has pids with start times.
    """
    with starting:
        return any(process.key not in known for process in _adopted())


def of_command(leader: Process | None, pid: int, token: str, known: Collection[Key]) -> tuple[Process, ...]:
    """Return all processes of one command, and their descendants.

    `leader` is the process that was started as `pid`; None if it ended before it could be read. The processes are found
    by any of three signs:
    * by the session that `leader` began;
    * by CANON_RUN in their environment, whose value is `token`;
    * as processes with neither CANON_RUN nor CANON_SLOT that this process has adopted, and whose pid and start time are
      not in `known`.
    """
    with starting:
        table = living_processes()
    roots = [*unmarked_orphans(known), *(process for process in table if mark_of(process, RUN_MARK) == token)]
    roots += [process for process in table if leader is not None and process.key == leader.key]
    roots += _of_session(leader, pid, table)
    return descendants(roots, table)


def _of_session(leader: Process | None, pid: int, table: Collection[Process]) -> list[Process]:
    """Return the processes of `table` in the session with the number `pid`, if they descend from this process.

    `leader` is the process that began the session; None if it ended before it could be read. Processes with CANON_RUN
    in their environment are left out, because they are found by that variable. If another process than `leader` has the
    pid `pid` now, return []: the kernel gives the number of a session to a new process only after all processes of the
    session have ended.
    """
    now = read_process(pid)
    if now is not None and (leader is None or now.key != leader.key):
        return []
    ourselves = [process for process in table if process.pid == os.getpid()]
    below = {process.key for process in descendants(ourselves, table)}
    members = (process for process in table if process.session == pid and process.key in below)
    return [process for process in members if not mark_of(process, RUN_MARK)]


def note_slot(mark: str) -> None:
    """Record the present children of this process, if none are recorded for the slot with the mark `mark` yet.

    Call this before a server of the slot is started: children that come later may belong to the slot. The caller must
    hold the lock `starting`.
    """
    _before_slot.setdefault(mark, child_keys())


def _lives(key: Key) -> bool:
    """Return whether the process with this pid and start time still runs."""
    process = read_process(key[0])
    return process is not None and process.key == key and process.state != "Z"


def of_slot(mark: str, state: str | None = None) -> tuple[Process, ...]:
    """Return all running processes of the slot whose folder is `mark`, and their descendants.

    A process is one of the slot in two cases:
    * Its environment has CANON_SLOT, with the path `mark` or one below it. It must not belong to another state folder:
      its CANON_STATE is `state`, the id of a state folder, or is not set. If `state` is None, it must not be set.
    * Its environment has neither CANON_SLOT nor CANON_RUN, and this process adopted it after `note_slot` was called for
      the slot. Such processes are left out while a command or server that this process started outside of the slot
      runs: they may have come from that one.
    """
    table = living_processes()
    processes = of_state_folder(marked_below(Path(mark), table), state)
    with starting:
        others = any(claimed.mark != mark and _lives(key) for key, claimed in _claimed.items())
    if mark in _before_slot and not others:
        processes += unmarked_orphans(_before_slot[mark])
    return descendants(processes, table)
