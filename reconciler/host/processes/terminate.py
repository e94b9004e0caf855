"""Stops the lines of a Procfile with all their processes, and reports what had to be killed."""

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
_QUIET_ROUNDS = 30

Find = Callable[[], Collection[Process]]


def stop_lines(find: Find, grace: float) -> RemovalResult:
    """Send SIGTERM to the lines that `find` finds, wait at most `grace` seconds, then kill until `find` finds nothing.

    Each process gets SIGTERM once. In the result, `ended` are processes that had left their line before, `killed` those
    that did not stop in time. Supervisors are suspended first and killed last: while they exist, no process that a line
    detaches as it stops can be missed.
    """
    everything = find()
    if not everything:
        return RemovalResult()
    supervisors = tuple(process for process in everything if mark_of(process, LINE_MARK))
    stop = _Stop(find, supervisors, {each.session: line.name for each in supervisors if (line := supervisor_of(each))})
    for each in supervisors:
        send(each, signal.SIGSTOP)
    detached = stop.signal_and_wait(grace)
    killed = kill_all(stop.others)
    forking = tuple(name for each in supervisors for name in _kill_forking(each))
    _kill_groups(supervisors)
    last = kill_all(find)
    late = (*(stop.name(process) for process in (*killed, *stop.without_supervisors(last))), *forking)
    left = find() if last else ()
    still = {process.key for process in left}
    return RemovalResult(
        tuple(_name(process) for process in detached if process.key not in still),
        tuple(_name(process) for process in left),
        tuple(f"{name} ({grace:g} s)" for name in dict.fromkeys(late)),
    )


@frozen
class _Stop:
    """What one stop works on. `find` returns all processes of the app, those in `supervisors` included.

    `lines` maps the session of each supervisor to the name of its line.
    """

    find: Find
    supervisors: tuple[Process, ...]
    lines: Mapping[int, str]

    def others(self) -> tuple[Process, ...]:
        return self.without_supervisors(self.find())

    def without_supervisors(self, processes: Iterable[Process]) -> tuple[Process, ...]:
        keys = {process.key for process in self.supervisors}
        return tuple(process for process in processes if process.key not in keys)

    def signal_and_wait(self, grace: float) -> tuple[Process, ...]:
        """Send SIGTERM, and wait at most `grace` seconds until all have stopped. Returns those that left their line.

        A process that starts meanwhile may be saving data: it gets no SIGTERM, and is waited for. A process in its own
        session is left to its parent to stop. It gets SIGTERM only if that parent is gone.
        """
        first = {process.key: process for process in self.others()}
        signalled: dict[tuple[int, int], Process] = {}

        def living() -> tuple[Process, ...]:
            processes = self.others()
            for process in _detached(processes, self._sessions):
                if process.key in first and process.key not in signalled:
                    signalled[process.key] = process
                    ask_to_stop(process)
            return processes or tuple(child for each in self.supervisors for child in _living_children(each))

        for process in first.values():
            if process.session in self._sessions:
                ask_to_stop(process)
        wait_until_none(living, grace)
        return tuple(signalled.values())

    def name(self, process: Process) -> str:
        line = self.lines.get(process.session, "")
        return f"{line}: {escape_unprintable(process.name)}" if line else escape_unprintable(process.name)

    @property
    def _sessions(self) -> frozenset[int]:
        return frozenset(process.session for process in self.supervisors)


def _detached(processes: Collection[Process], lines: Collection[int]) -> tuple[Process, ...]:
    """Return the processes that left the session of their line and lost their parent, with their descendants.

    A session of its own is not enough: each child of PostgreSQL has one, below a parent that stops it.
    """
    pids = {process.pid for process in processes}
    roots = (process for process in processes if process.session not in lines and process.parent not in pids)
    return descendants(roots, processes)


def _kill_forking(supervisor: Process) -> tuple[str, ...]:
    """Kill the children of a suspended supervisor, again and again until no new one appears.

    For processes that fork and exit faster than all processes can be listed. What they fork becomes a child of the
    supervisor, and its short list of children can be read fast enough. The supervisor must stay suspended: then nobody
    reaps the children, their pids stay taken, and no other process is killed. Returns one name for all, if new ones
    appeared.
    """
    killed = _children(supervisor)
    at_first, quiet_rounds = len(killed), 0
    for _ in range(_TRIES):
        new = _children(supervisor) - killed
        _kill_children(supervisor, new)
        killed |= new
        quiet_rounds = 0 if new else quiet_rounds + 1
        if quiet_rounds == _QUIET_ROUNDS:
            break
        time.sleep(0.001 if quiet_rounds else 0)
    return ("processes that kept forking",) if len(killed) > at_first else ()


def _kill_children(supervisor: Process, pids: Collection[int]) -> None:
    """Kill the children `pids` of a supervisor.

    Kills none if the supervisor is gone, because other processes may have got these pids since.
    """
    handles = []
    for pid in pids:
        with suppress(ProcessLookupError):
            handles.append(os.pidfd_open(pid))
    is_still_there = is_same(supervisor)
    for handle in handles:
        with suppress(ProcessLookupError, PermissionError):
            if is_still_there:
                signal.pidfd_send_signal(handle, signal.SIGKILL)
        os.close(handle)


def _children(supervisor: Process) -> set[int]:
    """Return the pids of a supervisor's children, ended ones too; none if the supervisor is gone."""
    try:
        pids = Path(f"/proc/{supervisor.pid}/task/{supervisor.pid}/children").read_text("ascii").split()
    except OSError:
        return set()
    return set(map(int, pids)) if is_same(supervisor) else set()


def _living_children(supervisor: Process) -> tuple[Process, ...]:
    children = (read_process(pid) for pid in _children(supervisor))
    return tuple(child for child in children if child and child.parent == supervisor.pid and child.state not in "ZX")


def _kill_groups(supervisors: Collection[Process]) -> None:
    """Kill each supervisor with its process group, all at once, so that no fork can escape."""
    for process in supervisors:
        with suppress(ProcessLookupError, PermissionError):
            if is_same(process):
                os.killpg(process.session, signal.SIGKILL)
    wait_until_ended(supervisors, _PATIENCE)


def _name(process: Process) -> str:
    return f"{escape_unprintable(process.name)} (pid {process.pid})"
