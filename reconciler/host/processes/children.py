"""Processes that descend from us: which we wait for ourselves, which were orphaned and fell to us, and their end."""

import os
import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path

from attrs import frozen

from reconciler.errors import InfrastructureError
from reconciler.host.processes.table import (
    RUN_MARK,
    SLOT_MARK,
    Process,
    children,
    descendants,
    everyone,
    glance,
    mark_of,
    marked,
)

_PR_SET_CHILD_SUBREAPER = 36

# Held while a process starts and while others are looked at, so that no child of ours is ever seen unclaimed.
starting = threading.RLock()


@frozen
class _Claim:
    """Somebody waits for this child's exit status; `collected` tells whether they have it."""

    mark: str
    collected: Callable[[], bool]


_claimed: dict[int, _Claim] = {}

# The children that we had when a slot began.
_before_slot: dict[str, frozenset[int]] = {}


def adopt_orphans() -> None:
    """Have the kernel hand us every orphan below us, instead of the host's first process."""
    import ctypes

    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise InfrastructureError(f"cannot become the parent of orphans: {os.strerror(ctypes.get_errno())}")


def claim(pid: int, mark: str, collected: Callable[[], bool]) -> None:
    """Say that somebody waits for `pid`. Called with `starting` held since before it was started."""
    _claimed[pid] = _Claim(mark, collected)


def release(pid: int) -> None:
    _claimed.pop(pid, None)


def reap() -> None:
    """Collect the orphans that ended; what somebody waits for, or did not come through the door, is left alone."""
    with starting:
        for pid in [pid for pid, claimed in _claimed.items() if claimed.collected()]:
            release(pid)
        for process in _adopted():
            if process.state == "Z":
                with suppress(ChildProcessError):
                    os.waitpid(process.pid, os.WNOHANG)


def _adopted() -> tuple[Process, ...]:
    # Whatever came through the door lives in a session of its own, and so do all its orphans.
    session = os.getsid(0)
    return tuple(process for process in children() if process.session != session and process.pid not in _claimed)


def pids() -> frozenset[int]:
    """Pids of all our children."""
    return frozenset(process.pid for process in children())


def strays(known: Collection[int]) -> tuple[Process, ...]:
    """Living orphans that bear no mark and were not among the pids `known`."""
    with starting:
        found = tuple(process for process in _adopted() if process.state != "Z" and process.pid not in known)
    return tuple(process for process in found if not mark_of(process, RUN_MARK) and not mark_of(process, SLOT_MARK))


def orphaned(known: Collection[int]) -> bool:
    """Whether anything fell to us that was not among the pids `known`."""
    with starting:
        return any(process.pid not in known for process in _adopted())


def of_command(pid: int, started: int, token: str, known: Collection[int]) -> tuple[Process, ...]:
    """Everything of one command: its tree, its session, whatever bears its token, and orphans without a mark."""
    with starting:
        table = everyone()
    roots = {process.pid for process in strays(known)}
    for process in table:
        itself = (process.pid, process.started) == (pid, started)
        if itself or process.session == pid or mark_of(process, RUN_MARK) == token:
            roots.add(process.pid)
    return descendants(roots, table)


def note_slot(mark: str) -> None:
    """Remember which children we have as the slot `mark` begins. Called with `starting` held."""
    _before_slot.setdefault(mark, pids())


def _lives(pid: int) -> bool:
    process = glance(pid)
    return process is not None and process.state != "Z"


def of_slot(mark: str) -> tuple[Process, ...]:
    """Everything of one slot: what bears its mark and what descends from that.

    Orphans that threw their mark away count as well, where nothing else lives to which they might belong.
    """
    bearers = marked(Path(mark))
    with starting:
        others = any(claimed.mark != mark and _lives(pid) for pid, claimed in _claimed.items())
    if mark in _before_slot and not others:
        bearers += strays(_before_slot[mark])
    return descendants({process.pid for process in bearers}, everyone())
