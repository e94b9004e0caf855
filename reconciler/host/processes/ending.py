"""Brings what runs of Procfile lines to rest, so that nothing of it survives and what resisted is told."""

import os
import signal
import time
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from pathlib import Path

from reconciler.crossing import Residue
from reconciler.host.processes.table import Process, descendants, end, glance, mark_of, send, wait_gone
from reconciler.host.processes.witness import LINE_MARK
from reconciler.host.text import printable

_PATIENCE = 5.0
_TRIES = 5000
_CALM = 30


def put_to_rest(find: Callable[[], Collection[Process]], grace: float) -> Residue:
    """Ask the lines that `find` finds to end, wait `grace` seconds, then kill until it finds nothing any more.

    What outlived that, or had left its line before, is residue. Witnesses are stopped first and killed last: as long
    as they are there, nothing that a line detaches on its way out can get lost.
    """
    everything = find()
    if not everything:
        return Residue()
    witnesses = tuple(process for process in everything if mark_of(process, LINE_MARK))
    known = {_key(process) for process in witnesses}

    def others() -> tuple[Process, ...]:
        return tuple(process for process in find() if _key(process) not in known)

    _signal_all(witnesses, signal.SIGSTOP)
    found, lines = others(), {process.session for process in witnesses}
    detached = _detached(found, lines)
    _signal_all((*detached, *(process for process in found if process.session in lines)), signal.SIGTERM)
    wait_gone(found, grace)
    late = end(others, 0)
    elusive = tuple(name for process in witnesses for name in _hunt(process))
    _kill_groups(witnesses)
    last = end(find, 0)
    return _residue((*detached, *late, *last), elusive, find() if last else ())


def _signal_all(processes: Iterable[Process], number: signal.Signals) -> None:
    for process in processes:
        send(process, number)


def _detached(found: Collection[Process], lines: Collection[int]) -> tuple[Process, ...]:
    """Those that left the session of their line and lost their parent, with all that descends from them.

    A session alone is no sign: the children of PostgreSQL have each their own, below a parent that ends them.
    """
    pids = {process.pid for process in found}
    roots = {process.pid for process in found if process.session not in lines and process.parent not in pids}
    return descendants(roots, found)


def _hunt(witness: Process) -> tuple[str, ...]:
    """Kill what forks anew, and ends, faster than a look at all processes takes. Told as one.

    It keeps falling to the witness, whose list of children is short and read at once. While the witness is stopped
    nobody reaps them: their pids stay taken, and no stranger can be hit.
    """
    struck = _children(witness.pid)
    first, calm = len(struck), 0
    for _ in range(_TRIES):
        fresh = _children(witness.pid) - struck
        for pid in fresh:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        struck |= fresh
        calm = 0 if fresh else calm + 1
        if calm == _CALM:
            break
        time.sleep(0.001 if calm else 0)
    return (f"{len(struck) - first} processes that kept forking",) if len(struck) > first else ()


def _children(pid: int) -> set[int]:
    try:
        return set(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()))
    except OSError:
        return set()


def _kill_groups(witnesses: Collection[Process]) -> None:
    """Kill each witness with all that stayed in its group, in one stroke that no fork can slip through."""
    for process in witnesses:
        now = glance(process.pid)
        with suppress(ProcessLookupError, PermissionError):
            if now and _key(now) == _key(process):
                os.killpg(process.session, signal.SIGKILL)
    wait_gone(witnesses, _PATIENCE)


def _residue(ended: Collection[Process], elusive: tuple[str, ...], left: Collection[Process]) -> Residue:
    still = {_key(process) for process in left}
    names = {_key(process): _name(process) for process in ended if _key(process) not in still}
    return Residue((*names.values(), *elusive), tuple(map(_name, left)))


def _key(process: Process) -> tuple[int, int]:
    return process.pid, process.started


def _name(process: Process) -> str:
    return f"{printable(process.name)} (pid {process.pid})"
