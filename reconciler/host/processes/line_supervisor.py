"""Runs one line of a Procfile as the child of a shell, its supervisor, which stays until the line has ended."""

import sys
from collections.abc import Collection

from attrs import frozen

from reconciler.host.processes.procfs import Process, mark_of

LINE_MARK = "CANON_LINE"

# Makes the supervisor a subreaper, also after execve: processes that its line detaches become its own children.
# Resets signals, because ignored signals stay ignored after execve. Python, nohup and background shells ignore some.
_START = """\
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
    signal.signal(number, signal.SIG_DFL)
_, mark, name, command, shell = sys.argv
os.execve("/bin/sh", ["sh", "-c", shell, name, command], {**os.environ, "CANON_LINE": mark})
"""
# A program may overwrite its environment, as PostgreSQL does; the environment of this shell can always be read.
_SHELL = 'unset CANON_LINE; sh -c "$1" "$0"; exit $?'


@frozen
class LineSupervisor:
    """The supervisor of one Procfile line: the running shell that started the line. Its environment has these facts.

    * `pid`: the process id of the supervisor.
    * `name`: the name of its line.
    * `names`: the names of all long-running lines of the app.
    * `commit`, `version`: the commit and the version of the release.
    * `port`: the port of the app.
    """

    pid: int
    name: str
    names: tuple[str, ...]
    commit: str
    version: str
    port: int


def command_line(name: str, command: str, names: Collection[str], commit: str) -> tuple[str, ...]:
    """Return the argument list that starts the Procfile line `name` with its supervisor, a shell that runs it.

    * `command`: the shell command of the line.
    * `names`: the names of all long-running lines of the Procfile.
    * `commit`: the commit of the release.

    The supervisor keeps the names and the commit in its environment.
    """
    return (sys.executable, "-IS", "-c", _START, " ".join((commit, name, *names)), name, command, _SHELL)


def supervisor_of(process: Process) -> LineSupervisor | None:
    """Return what this process supervises; None if it is not the supervisor (the shell) of a Procfile line."""
    commit, name, *names = (mark_of(process, LINE_MARK) or " ").split(" ")
    version, port = mark_of(process, "VERSION"), mark_of(process, "PORT")
    if not names or version is None or port is None:
        return None
    return LineSupervisor(process.pid, name, tuple(names), commit, version, int(port))
