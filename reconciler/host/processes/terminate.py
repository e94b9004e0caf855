"""Stops the lines of a Procfile with all their processes, and reports which of these had to be killed."""

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


def stop_lines(find: Find, grace: float | None) -> RemovalResult:
    """Stop the processes that `find` returns: send SIGTERM once, wait at most `grace` seconds, and send SIGKILL.

    If `grace` is None, send SIGKILL at once. The result has:
    * `ended`: the detached processes that got SIGTERM and run no more, also those that had to be killed. A process is
      detached if it is in no session of a Procfile line, and its parent is gone;
    * `killed`: processes that did not stop in time, also detached ones;
    * `remaining`: processes that could not be killed;
    * `exit_codes`: the exit codes of the lines that have ended, by the name of the line.

    A line may leave processes behind as it stops. Its supervisor, the shell that runs it, adopts them, so that none is
    missed. To do so, the supervisor must outlive the line: so it is suspended first and killed last.
    """
    everything = find()
    if not everything:
        return RemovalResult()
    supervisors = tuple(process for process in everything if mark_of(process, LINE_MARK))
    lines = {process.session: line.name for process in supervisors if (line := supervisor_of(process))}
    stop = _Stop(find, supervisors, lines)
    for process in supervisors:
        send(process, signal.SIGSTOP)
    detached = stop.signal_and_wait(grace) if grace is not None else ()
    exit_codes = stop.exit_codes()
    killed = kill_all(stop.others)
    forking = tuple(name for process in supervisors for name in _kill_forking(process))
    _kill_groups(supervisors)
    last = kill_all(find)
    late = (*(stop.name(process) for process in (*killed, *stop.without_supervisors(last))), *forking)
    left = find() if last else ()
    still = {process.key for process in left}
    return RemovalResult(
        tuple(_name(process) for process in detached if process.key not in still),
        tuple(_name(process) for process in left),
        tuple(f"{name} ({grace or 0:g} s)" for name in dict.fromkeys(late)),
        exit_codes=exit_codes,
    )


@frozen
class _Stop:
    """The processes of an app that is to be stopped. The supervisor of a Procfile line is the shell that runs it.

    * `find`: returns all processes that run now, also supervisors.
    * `supervisors`: the supervisors that ran at the beginning.
    * `lines`: maps the session of each supervisor to the name of its line.
    """

    find: Find
    supervisors: tuple[Process, ...]
    lines: Mapping[int, str]

    def others(self) -> tuple[Process, ...]:
        """Return all processes of the app that run now, without the supervisors (shells) of its Procfile lines."""
        return self.without_supervisors(self.find())

    def without_supervisors(self, processes: Iterable[Process]) -> tuple[Process, ...]:
        keys = {process.key for process in self.supervisors}
        return tuple(process for process in processes if process.key not in keys)

    def signal_and_wait(self, grace: float) -> tuple[Process, ...]:
        """Send SIGTERM to the app, and wait at most `grace` seconds until it has stopped. Kill nothing after that.

        * A process in the session of a Procfile line gets SIGTERM at once.
        * A process in another session gets SIGTERM once its parent is gone: the process is then detached. Until then,
          the parent is expected to stop it.
        * A process that starts while the app stops, perhaps to save data, gets no SIGTERM.

        Return all detached processes that got SIGTERM, also those that have ended.
        """
        first = {process.key: process for process in self.others()}
        signalled: dict[tuple[int, int], Process] = {}

        def living() -> tuple[Process, ...]:
            processes = self.others()
            for process in _detached(processes, self._sessions):
                if process.key in first and process.key not in signalled:
                    signalled[process.key] = process
                    ask_to_stop(process)
            return processes or tuple(child for line in self.supervisors for child in _living_children(line))

        for process in first.values():
            if process.session in self._sessions:
                ask_to_stop(process)
        wait_until_none(living, grace)
        return tuple(signalled.values())

    def exit_codes(self) -> Mapping[str, int]:
        """Return the exit code of each Procfile line that has ended, by the name of the line; -15 if SIGTERM ended it.

        Exit codes that cannot be read are left out. Call this while the supervisors (the shells of the lines) are
        suspended: once a shell is resumed or killed, the exit code of its line can no longer be read.
        """
        found = {self.lines[each.session]: _exit_code(each) for each in self.supervisors if each.session in self.lines}
        return {name: code for name, code in found.items() if code is not None}

    def name(self, process: Process) -> str:
        """Return the name of a process for a report.

        The name is "LINE: NAME" if the process is in the session of a Procfile line of the app, and NAME if it is not.
        """
        line = self.lines.get(process.session, "")
        return f"{line}: {escape_unprintable(process.name)}" if line else escape_unprintable(process.name)

    @property
    def _sessions(self) -> frozenset[int]:
        return frozenset(process.session for process in self.supervisors)


def _detached(processes: Collection[Process], lines: Collection[int]) -> tuple[Process, ...]:
    """Return the detached processes of an app, and their descendants.

    `processes` are all processes of the app. `lines` has the sessions of its Procfile lines. A process is detached if
    it is in no session of a line, and its parent is not among `processes`. A process in a session of its own whose
    parent is among `processes` is not detached: PostgreSQL, for example, has such children and stops them itself.
    """
    pids = {process.pid for process in processes}
    roots = (process for process in processes if process.session not in lines and process.parent not in pids)
    return descendants(roots, processes)


def _kill_forking(supervisor: Process) -> tuple[str, ...]:
    """Kill the children of a suspended supervisor (the shell of a Procfile line) until no new child appears.

    Return ("processes that kept forking",) if new children appeared after the first look; () if none did.

    This stops processes that fork and exit faster than all of /proc can be listed. What such processes leave behind
    becomes a child of the supervisor, whose list of children is short. A suspended supervisor does not reap its
    children, so that their pids cannot belong to other processes yet.
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
    """Kill the children of a supervisor that have these pids.

    If the supervisor is gone, kill none: the pids may belong to other processes now.
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
    """Return the pids of a supervisor's children, also of those that have ended; an empty set if it is gone."""
    try:
        pids = Path(f"/proc/{supervisor.pid}/task/{supervisor.pid}/children").read_text("ascii").split()
    except OSError:
        return set()
    return set(map(int, pids)) if is_same(supervisor) else set()


def _exit_code(supervisor: Process) -> int | None:
    """Return the exit code of the Procfile line that a suspended supervisor (its shell) runs.

    Return None if the line still runs, or if its exit code cannot be read. A negative code is the number of a signal.
    The line is the oldest child of the supervisor. The supervisor has adopted all its other children later.
    """
    first = min(filter(None, map(read_process, _children(supervisor))), key=lambda each: each.started, default=None)
    if first is None or first.state != "Z" or first.parent != supervisor.pid:
        return None
    with suppress(OSError, ValueError):
        folder = Path(f"/proc/{first.pid}")
        # The kernel shows 0 instead of the real status to a reader who may not see it. The user of a process that has
        # ended is the owner of its folder; the files in the folder are root's by then.
        if os.geteuid() in {0, folder.stat().st_uid}:
            return os.waitstatus_to_exitcode(int((folder / "stat").read_text("utf-8", "replace").split()[-1]))
    return None


def _living_children(supervisor: Process) -> tuple[Process, ...]:
    """Return the children of a supervisor that have not ended."""
    children = (read_process(pid) for pid in _children(supervisor))
    return tuple(child for child in children if child and child.parent == supervisor.pid and child.state not in "ZX")


def _kill_groups(supervisors: Collection[Process]) -> None:
    """Kill each supervisor (the shell of a Procfile line) in one call with its process group: so no fork escapes."""
    for process in supervisors:
        with suppress(ProcessLookupError, PermissionError):
            if is_same(process):
                os.killpg(process.session, signal.SIGKILL)
    wait_until_ended(supervisors, _PATIENCE)


def _name(process: Process) -> str:
    """Return name and pid of a process for a report."""
    return f"{escape_unprintable(process.name)} (pid {process.pid})"
