"""Brings what runs of Procfile lines to rest, so that nothing of it survives and what resisted is told."""

import os
import signal
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from attrs import frozen

from desired.unprintable import escape_unprintable
from reconciler.host.processes.line_supervisor import LINE_MARK, supervisor_of
from reconciler.host.processes.procfs import (
    Process,
    ask_to_stop,
    descendants,
    is_same,
    kill_all,
    mark_of,
    read_process,
    send,
    wait_until_ended,
    wait_until_none,
)
from reconciler.ports.app import RemovalResult

_PATIENCE = 5.0
_TRIES = 5000
_CALM = 30

Find = Callable[[], Collection[Process]]


def stop_lines(find: Find, grace: float) -> RemovalResult:
    """Ask the lines that `find` finds to end, wait `grace` seconds, then kill until it finds nothing any more.

    Each process is asked once. What had left its line before is told as ended, what outlived the wait as killed.
    Witnesses are stopped first and killed last: as long as they are there, nothing that a line detaches on its way out
    can get lost.
    """
    everything = find()
    if not everything:
        return RemovalResult()
    supervisors = tuple(process for process in everything if mark_of(process, LINE_MARK))
    stop = _Stop(find, supervisors, {each.session: line.name for each in supervisors if (line := supervisor_of(each))})
    for each in supervisors:
        send(each, signal.SIGSTOP)
    detached = stop.ask_and_wait(grace)
    killed = kill_all(stop.others)
    elusive = tuple(name for each in supervisors for name in _hunt(each))
    _kill_groups(supervisors)
    last = kill_all(find)
    late = (*(stop.name(process) for process in (*killed, *stop.without_witnesses(last))), *elusive)
    left = find() if last else ()
    still = {process.key for process in left}
    return RemovalResult(
        tuple(_name(process) for process in detached if process.key not in still),
        tuple(_name(process) for process in left),
        tuple(f"{name} ({grace:g} s)" for name in dict.fromkeys(late)),
    )


@frozen
class _Stop:
    """One stop: `find` tells what there is, `supervisors` are those of the lines, `lines` their names by session."""

    find: Find
    supervisors: tuple[Process, ...]
    lines: Mapping[int, str]

    def others(self) -> tuple[Process, ...]:
        return self.without_witnesses(self.find())

    def without_witnesses(self, processes: Iterable[Process]) -> tuple[Process, ...]:
        keys = {process.key for process in self.supervisors}
        return tuple(process for process in processes if process.key not in keys)

    def ask_and_wait(self, grace: float) -> tuple[Process, ...]:
        """Ask what runs to end and wait for it; returns what had left its line.

        What starts meanwhile may be what saves the data: it is waited for, and not asked. What has a session of its own
        is its parent's to end, and is asked where that left it behind.
        """
        first = {process.key: process for process in self.others()}
        asked: dict[tuple[int, int], Process] = {}

        def living() -> tuple[Process, ...]:
            found = self.others()
            for process in _detached(found, self._sessions):
                if process.key in first and process.key not in asked:
                    asked[process.key] = process
                    ask_to_stop(process)
            return found or tuple(child for each in self.supervisors for child in _living_children(each))

        for process in first.values():
            if process.session in self._sessions:
                ask_to_stop(process)
        wait_until_none(living, grace)
        return tuple(asked.values())

    def name(self, process: Process) -> str:
        line = self.lines.get(process.session, "")
        return f"{line}: {escape_unprintable(process.name)}" if line else escape_unprintable(process.name)

    @property
    def _sessions(self) -> frozenset[int]:
        return frozenset(process.session for process in self.supervisors)


def _detached(found: Collection[Process], lines: Collection[int]) -> tuple[Process, ...]:
    """Those that left the session of their line and lost their parent, with all that descends from them.

    A session alone is no sign: the children of PostgreSQL have each their own, below a parent that ends them.
    """
    pids = {process.pid for process in found}
    roots = (process for process in found if process.session not in lines and process.parent not in pids)
    return descendants(roots, found)


def _hunt(supervisor: Process) -> tuple[str, ...]:
    """Kill what forks anew, and ends, faster than a look at all processes takes. Told as one.

    It keeps falling to the witness, whose list of children is short and read at once. While the witness is stopped
    nobody reaps them: their pids stay taken, and no stranger can be hit.
    """
    struck = _children(supervisor)
    first, calm = len(struck), 0
    for _ in range(_TRIES):
        fresh = _children(supervisor) - struck
        _kill_children(supervisor, fresh)
        struck |= fresh
        calm = 0 if fresh else calm + 1
        if calm == _CALM:
            break
        time.sleep(0.001 if calm else 0)
    return ("processes that kept forking",) if len(struck) > first else ()


def _kill_children(supervisor: Process, pids: Collection[int]) -> None:
    """Kill children of a witness by descriptors, which were opened while it was still there to keep their pids."""
    handles = []
    for pid in pids:
        with suppress(ProcessLookupError):
            handles.append(os.pidfd_open(pid))
    kept = is_same(supervisor)
    for handle in handles:
        with suppress(ProcessLookupError, PermissionError):
            if kept:
                signal.pidfd_send_signal(handle, signal.SIGKILL)
        os.close(handle)


def _children(supervisor: Process) -> set[int]:
    """Pids of a witness's children, those that ended included; none once another process has its pid."""
    try:
        listed = Path(f"/proc/{supervisor.pid}/task/{supervisor.pid}/children").read_text("ascii").split()
    except OSError:
        return set()
    return set(map(int, listed)) if is_same(supervisor) else set()


def _living_children(supervisor: Process) -> tuple[Process, ...]:
    seen = (read_process(pid) for pid in _children(supervisor))
    return tuple(child for child in seen if child and child.parent == supervisor.pid and child.state not in "ZX")


def _kill_groups(supervisors: Collection[Process]) -> None:
    """Kill each witness with all that stayed in its group, in one stroke that no fork can slip through."""
    for process in supervisors:
        with suppress(ProcessLookupError, PermissionError):
            if is_same(process):
                os.killpg(process.session, signal.SIGKILL)
    wait_until_ended(supervisors, _PATIENCE)


def _name(process: Process) -> str:
    return f"{escape_unprintable(process.name)} (pid {process.pid})"
