"""What is needed to run a command: arguments, environment and limits. And the type of its captured output."""

import math
import os
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from reconciler.errors import InfrastructureError
from reconciler.ports.commands import CommandResult

# Recipes get the same umask whether a shell or a unit with `UMask=0077` starts Canon.
UMASK = 0o022

# In seconds. If Canon dies, a command that holds the pass lock gets SIGTERM this long after its deadline, and SIGKILL
# after the same time again.
_GRACE_ALONE = 10


@frozen
class CommandSpec:
    """A command that `host/run.py` runs until it ends.

    * `env`: its environment, to which `run` adds CANON_RUN and CANON_SLOT.
    * `cwd`: the folder in which it runs.
    * `deadline`: how many seconds it may take.
    * `stdin`: its standard input: bytes, or the path of a file.
    * `mark`: the mark of its slot, which becomes CANON_SLOT; "" for none.
    * `file_bytes`: the size of the largest file that it may write; None for no limit.
    * `holding`: the descriptor of a lock that it inherits, such as the pass lock; None for none. If Canon dies, the
      command holds the lock until the program `timeout` stops it.
    * `stop`: an event; None for none. If the event is set, the command is stopped as if it had taken too long.
    * `grace`: processes that it leaves running get SIGTERM, and SIGKILL after this many seconds.
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
    """How a command ended, and what it wrote.

    * `result`: how the command ended.
    * `out`, `err`: what it wrote to stdout and to stderr.
    * `cut`: whether it was stopped because it wrote too much to stdout. Then `out` has only the beginning.
    """

    result: CommandResult
    out: bytes
    err: bytes
    cut: bool

    @property
    def ok(self) -> bool:
        return self.result.ok and not self.cut


def program(command: CommandSpec) -> str | None:
    """Return the path of the command's program; None if it is not found.

    A name without a slash is looked for in the PATH of the command's own environment. A name with a slash is a path; a
    relative one begins at the command's folder, and is returned even if there is no such file.
    """
    name = command.argv[0]
    if "/" in name:
        path = command.cwd.absolute() / name
        return str(path) if path.exists() or not name.startswith("/") else None
    return shutil.which(name, path=command.env.get("PATH", ""))


def arguments(command: CommandSpec, program: str) -> tuple[str, ...]:
    """Return the argument list that runs the command. `program` is the path of its program.

    If the command inherits a lock, the program `timeout` runs it, and stops it even if Canon dies. If the size of its
    files is limited, the program `prlimit` limits it. Raise InfrastructureError if one of the two is not installed.
    """
    arguments = (program, *command.argv[1:])
    if command.holding is not None:
        until = math.ceil(command.deadline) + _GRACE_ALONE
        arguments = (_tool(command, "timeout", "GNU coreutils"), "-k", str(_GRACE_ALONE), str(until), *arguments)
    if command.file_bytes is not None:
        arguments = (_tool(command, "prlimit", "util-linux"), f"--fsize={command.file_bytes}", *arguments)
    return arguments


def _tool(command: CommandSpec, name: str, package: str) -> str:
    """Return the path of the program `name` of the package `package`. Raise InfrastructureError if it is not found."""
    path = shutil.which(name, path=command.env.get("PATH", ""))
    if path is None:
        raise InfrastructureError(f"{name}: not found in PATH", f"it is part of {package}")
    return path


@contextmanager
def standard_input(stdin: bytes | Path) -> Iterator[int]:
    """Yield a descriptor from which a command can read its standard input; close it at the end of the `with` block.

    `stdin` is the input itself, or the path of a file. Raise OSError if the file cannot be opened.
    """
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
