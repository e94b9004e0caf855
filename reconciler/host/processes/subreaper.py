"""Processes that descend from us: which we wait for ourselves, which were orphaned and fell to us, and their end."""

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

# Held while a process starts and while others are looked at, so that no child of ours is ever seen unclaimed.
starting = threading.RLock()


@frozen
class _Claim:
    """Somebody waits for this child's exit status; `collected` tells whether they have it."""

    mark: str
    collected: Callable[[], bool]


Key = tuple[int, int]
"""Pid and start of a process: a pid alone is given anew once its process was collected."""

_claimed: dict[Key, _Claim] = {}

# The children that we had when a slot began.
_before_slot: dict[str, frozenset[Key]] = {}


def adopt_orphans() -> None:
    """Have the kernel hand us every orphan below us, instead of the host's first process."""
    import ctypes

    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise InfrastructureError(f"cannot become the parent of orphans: {os.strerror(ctypes.get_errno())}")


def claim(pid: int, mark: str, collected: Callable[[], bool]) -> Process | None:
    """Say that somebody waits for our child `pid`; returns it, None where it has ended and was collected already.

    Called with `starting` held since before it was started.
    """
    process = read_process(pid)
    if process is None or process.parent != os.getpid():
        return None
    _claimed[process.key] = _Claim(mark, collected)
    return process


def release(process: Process) -> None:
    _claimed.pop(process.key, None)


def reap() -> None:
    """Collect the orphans that ended; what somebody waits for, or was not started by `host/run.py`, is left alone."""
    with starting:
        for key in [key for key, claimed in _claimed.items() if claimed.collected()]:
            del _claimed[key]
        for process in _adopted():
            if process.state == "Z":
                with suppress(ChildProcessError):
                    os.waitpid(process.pid, os.WNOHANG)


def _adopted() -> tuple[Process, ...]:
    # Whatever was started by `host/run.py` lives in a session of its own, and so do all its orphans.
    session = os.getsid(0)
    return tuple(process for process in children() if process.session != session and process.key not in _claimed)


def child_keys() -> frozenset[Key]:
    """All our children."""
    return frozenset(process.key for process in children())


def unmarked_orphans(known: Collection[Key]) -> tuple[Process, ...]:
    """Living orphans that bear no mark and were not among the children `known`."""
    with starting:
        found = tuple(process for process in _adopted() if process.state != "Z" and process.key not in known)
    return tuple(process for process in found if not mark_of(process, RUN_MARK) and not mark_of(process, SLOT_MARK))


def has_orphans(known: Collection[Key]) -> bool:
    """Whether anything fell to us that was not among the children `known`."""
    with starting:
        return any(process.key not in known for process in _adopted())


def of_command(leader: Process | None, pid: int, token: str, known: Collection[Key]) -> tuple[Process, ...]:
    """Everything of one command: its tree, its session, whatever bears its token, and orphans without a mark.

    `leader` is the process that was started as `pid`, None where it had ended before anybody could look.
    """
    with starting:
        table = living_processes()
    roots = [*unmarked_orphans(known), *(process for process in table if mark_of(process, RUN_MARK) == token)]
    roots += [process for process in table if leader is not None and process.key == leader.key]
    roots += _of_session(leader, pid, table)
    return descendants(roots, table)


def _of_session(leader: Process | None, pid: int, table: Collection[Process]) -> list[Process]:
    """Those below us of the session that a child of ours began as `pid`.

    As long as one of them lives, the kernel gives that number to no other process. A session whose number belongs to
    another process by now, or whose members bear the token of another command, is a stranger's.
    """
    now = read_process(pid)
    if now is not None and (leader is None or now.key != leader.key):
        return []
    ourselves = [process for process in table if process.pid == os.getpid()]
    below = {process.key for process in descendants(ourselves, table)}
    members = (process for process in table if process.session == pid and process.key in below)
    return [process for process in members if not mark_of(process, RUN_MARK)]


def note_slot(mark: str) -> None:
    """Remember which children we have as the slot `mark` begins. Called with `starting` held."""
    _before_slot.setdefault(mark, child_keys())


def _lives(key: Key) -> bool:
    process = read_process(key[0])
    return process is not None and process.key == key and process.state != "Z"


def of_slot(mark: str, state: str | None = None) -> tuple[Process, ...]:
    """Everything of one slot of the state folder with the id `state`: what bears its mark and what descends from that.

    Orphans that threw their mark away count as well, where nothing else lives to which they might belong.
    """
    bearers = of_state_folder(marked_below(Path(mark)), state)
    with starting:
        others = any(claimed.mark != mark and _lives(key) for key, claimed in _claimed.items())
    if mark in _before_slot and not others:
        bearers += unmarked_orphans(_before_slot[mark])
    return descendants(bearers, living_processes())
