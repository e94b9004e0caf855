"""How one line of a Procfile is run and told: below a shell that stays, its witness."""

import sys
from collections.abc import Collection

from attrs import frozen

from reconciler.host.processes.procfs import Process, mark_of

LINE_MARK = "CANON_LINE"

# The kernel keeps this attribute over execve: what the line detaches falls to its witness, and not to the host.
# What is ignored stays so over execve: Python ignores two signals; nohup, or a shell in the background, others.
_START = """\
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
    signal.signal(number, signal.SIG_DFL)
_, mark, name, command, shell = sys.argv
os.execve("/bin/sh", ["sh", "-c", shell, name, command], {**os.environ, "CANON_LINE": mark})
"""
# A program may empty its environment or write over it (PostgreSQL does): that of this shell stays readable.
_SHELL = 'unset CANON_LINE; sh -c "$1" "$0"; exit $?'


@frozen
class LineSupervisor:
    """The living shell of the line `name`; `names` are all lines of its Procfile."""

    pid: int
    name: str
    names: tuple[str, ...]
    commit: str
    version: str
    port: int


def command_line(name: str, command: str, names: Collection[str], commit: str) -> tuple[str, ...]:
    """The program that runs `command`, which is the line `name` of a Procfile with the lines `names`."""
    return (sys.executable, "-IS", "-c", _START, " ".join((commit, name, *names)), name, command, _SHELL)


def supervisor_of(process: Process) -> LineSupervisor | None:
    """What a process is witness of, read from its environment; None for any other process."""
    commit, name, *names = (mark_of(process, LINE_MARK) or " ").split(" ")
    version, port = mark_of(process, "VERSION"), mark_of(process, "PORT")
    if not names or version is None or port is None:
        return None
    return LineSupervisor(process.pid, name, tuple(names), commit, version, int(port))
