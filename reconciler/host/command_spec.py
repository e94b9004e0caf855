"""A command to run, and what it wrote."""

import math
import os
import resource
import shutil
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from reconciler.errors import InfrastructureError
from reconciler.ports.commands import CommandResult

# Signals that ask Canon to stop. They are blocked while a command starts. Their handlers raise an exception: in the
# forked child, before it executes its program, that would run Canon's own code a second time.
STOPPING = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
# Recipes get the same umask whether a shell or a unit with `UMask=0077` starts Canon.
UMASK = 0o022

# In seconds. If Canon dies, a command that holds the pass lock gets SIGTERM this long after its deadline, and SIGKILL
# after the same time again.
_GRACE_ALONE = 10


@frozen
class CommandSpec:
    """A command that `host/run.py` runs to its end. Its environment is `env` and the marks; `deadline` is in seconds.

    `stdin` is its standard input: bytes, or the path of a file. `mark` is the mark of its slot, "" for none.
    `file_bytes` is the size of the largest file that it may write, None for no limit. `holding` is the descriptor of a
    lock that the command inherits, such as the pass lock, or None. A command with a lock still holds it if Canon dies;
    therefore it is run by the program `timeout`, which ends it then. Setting `stop` stops the command as its deadline
    does. Processes that the command leaves behind get SIGTERM, and SIGKILL `grace` seconds later.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path
    deadline: float
    stdin: bytes | Path = b""
    mark: str = ""
    file_bytes: int | None = None
    holding: int | None = None
    stop: threading.Event | None = None
    grace: float = 3.0


@frozen
class CapturedOutput:
    """How a command ended, and what it wrote. `cut`: it wrote more to stdout than allowed, and was stopped for that."""

    result: CommandResult
    out: bytes
    err: bytes
    cut: bool

    @property
    def ok(self) -> bool:
        return self.result.ok and not self.cut


def program(command: CommandSpec) -> str | None:
    """Return the path of the command's program, looked up in the PATH and the folder of the child; None if not found.

    A relative path with a slash is returned even if no such file exists.
    """
    name = command.argv[0]
    if "/" in name:
        path = command.cwd.absolute() / name
        return str(path) if path.exists() or not name.startswith("/") else None
    return shutil.which(name, path=command.env.get("PATH", ""))


def arguments(command: CommandSpec, program: str) -> tuple[str, ...]:
    """Return the argument list that runs `program`.

    A command that holds the pass lock is run by the program `timeout`, which stops it even if Canon dies.
    """
    arguments = (program, *command.argv[1:])
    if command.holding is None:
        return arguments
    timeout = shutil.which("timeout", path=command.env.get("PATH", ""))
    if timeout is None:
        raise InfrastructureError("timeout: not found in PATH", "it is part of GNU coreutils")
    return (timeout, "-k", str(_GRACE_ALONE), str(math.ceil(command.deadline) + _GRACE_ALONE), *arguments)


@contextmanager
def standard_input(stdin: bytes | Path) -> Iterator[int]:
    if isinstance(stdin, Path):
        handle = os.open(stdin, os.O_RDONLY | os.O_CLOEXEC)
    else:
        handle = os.memfd_create("input") if stdin else os.open(os.devnull, os.O_RDONLY)
    try:
        if isinstance(stdin, bytes) and stdin:
            with open(handle, "wb", closefd=False) as file:
                file.write(stdin)
            os.lseek(handle, 0, os.SEEK_SET)
        yield handle
    finally:
        os.close(handle)


def limit(command: CommandSpec) -> None:
    """Reset signals, set umask and limits, and let the program inherit the lock `command.holding`.

    Runs in the child, just before its program starts.
    """
    for number in (*STOPPING, signal.SIGQUIT, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
    os.umask(UMASK)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if command.file_bytes is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (command.file_bytes, command.file_bytes))
    if command.holding is not None:
        os.set_inheritable(command.holding, True)  # noqa: FBT003 - cannot be passed by name
