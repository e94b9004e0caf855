"""Runs one line of a Procfile as the child of a shell, its supervisor, which stays until the line ends."""

import sys
from collections.abc import Collection

from attrs import frozen

from reconciler.host.processes.procfs import Process, mark_of

LINE_MARK = "CANON_LINE"

# Makes the supervisor a subreaper, which it stays after execve: what its line detaches becomes its child, not init's.
# Resets signals, since ignored ones stay ignored after execve: Python ignores two; nohup or a background shell, others.
_START = """\
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
    signal.signal(number, signal.SIG_DFL)
_, mark, name, command, shell = sys.argv
os.execve("/bin/sh", ["sh", "-c", shell, name, command], {**os.environ, "CANON_LINE": mark})
"""
# A program may clear or overwrite its environment, as PostgreSQL does. The environment of this shell stays readable.
_SHELL = 'unset CANON_LINE; sh -c "$1" "$0"; exit $?'


@frozen
class LineSupervisor:
    """The running shell of the line `name`. `names` are all lines of its Procfile."""

    pid: int
    name: str
    names: tuple[str, ...]
    commit: str
    version: str
    port: int


def command_line(name: str, command: str, names: Collection[str], commit: str) -> tuple[str, ...]:
    """Return the arguments that run `command`, the line `name` of a Procfile that has the lines `names`."""
    return (sys.executable, "-IS", "-c", _START, " ".join((commit, name, *names)), name, command, _SHELL)


def supervisor_of(process: Process) -> LineSupervisor | None:
    """Return `process` as a supervisor, with the facts in its environment; None if it is no supervisor."""
    commit, name, *names = (mark_of(process, LINE_MARK) or " ").split(" ")
    version, port = mark_of(process, "VERSION"), mark_of(process, "PORT")
    if not names or version is None or port is None:
        return None
    return LineSupervisor(process.pid, name, tuple(names), commit, version, int(port))
