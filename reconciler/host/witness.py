"""How one line of a Procfile is run, told and ended: below a shell that stays, its witness."""

import signal
import sys
from collections.abc import Callable, Collection
from itertools import chain

from attrs import frozen

from reconciler.host.processes import Process, descendants, end, mark_of, send, wait_gone
from reconciler.host.text import printable
from reconciler.ports import Residue

LINE_MARK = "CANON_LINE"

# The kernel keeps this attribute over execve: what the line detaches falls to its witness, and not to the host.
# Python ignores two signals, and what is ignored stays ignored over execve.
_START = """\
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
_, mark, name, command, shell = sys.argv
os.execve("/bin/sh", ["sh", "-c", shell, name, command], {**os.environ, "CANON_LINE": mark})
"""
# A program may empty its environment or write over it (PostgreSQL does): that of this shell stays readable.
_SHELL = 'unset CANON_LINE; sh -c "$1" "$0"; exit $?'
_PATIENCE = 5.0


@frozen
class Witness:
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


def witness(process: Process) -> Witness | None:
    """What a process is witness of, read from its environment; None for any other process."""
    commit, name, *names = (mark_of(process, LINE_MARK) or " ").split(" ")
    version, port = mark_of(process, "VERSION"), mark_of(process, "PORT")
    if not names or version is None or port is None:
        return None
    return Witness(process.pid, name, tuple(names), commit, version, int(port))


def put_to_rest(find: Callable[[], Collection[Process]], grace: float) -> Residue:
    """Ask the lines that `find` finds to end, wait `grace` seconds, then kill until it finds nothing any more.

    What outlived that, or had left its line before, is residue. Witnesses are stopped first and killed last: as long
    as they are there, nothing that a line detaches on its way out can get lost.
    """
    witnesses = {_key(process): process for process in find() if mark_of(process, LINE_MARK)}

    def others() -> tuple[Process, ...]:
        return tuple(process for process in find() if _key(process) not in witnesses)

    _signal_all(witnesses.values(), signal.SIGSTOP)
    found = others()
    lines = {process.session for process in witnesses.values()}
    detached = _detached(found, lines)
    _signal_all(chain(detached, (process for process in found if process.session in lines)), signal.SIGTERM)
    wait_gone(found, grace)
    late = end(others, 0)
    _signal_all(witnesses.values(), signal.SIGKILL)
    wait_gone(witnesses.values(), _PATIENCE)
    late += end(find, 0)
    return _residue((*detached, *late), find())


def _signal_all(processes: Collection[Process] | chain[Process], number: signal.Signals) -> None:
    for process in processes:
        send(process, number)


def _detached(found: Collection[Process], lines: Collection[int]) -> tuple[Process, ...]:
    """Those that left the session of their line and lost their parent, with all that descends from them.

    A session alone is no sign: the children of PostgreSQL have each their own, below a parent that ends them.
    """
    pids = {process.pid for process in found}
    roots = {process.pid for process in found if process.session not in lines and process.parent not in pids}
    return descendants(roots, found)


def _residue(ended: Collection[Process], left: Collection[Process]) -> Residue:
    still = {_key(process) for process in left}
    names = {_key(process): _name(process) for process in ended if _key(process) not in still}
    return Residue(tuple(names.values()), tuple(map(_name, left)))


def _key(process: Process) -> tuple[int, int]:
    return process.pid, process.started


def _name(process: Process) -> str:
    return f"{printable(process.name)} (pid {process.pid})"
