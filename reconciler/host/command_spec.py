"""A command to run, and how it ended."""

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

# What asks us to stop. While a command starts they wait: our handlers raise, and what is raised in a forked child
# before its program runs would go on there as a second one of us.
STOPPING = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
# Whoever starts us, a shell or a unit with `UMask=0077`: a recipe finds the same one.
UMASK = 0o022

# A command that keeps the pass lock outlives us by at most this many seconds, and again as many until it is killed.
_GRACE_ALONE = 10


@frozen
class CommandSpec:
    """One finite command. `env` is its whole environment, beside the marks; `deadline` is in seconds.

    `stdin` is its standard input, or the file that is; `mark` the slot it belongs to, "" for none; `file_bytes` the
    size of the largest file it may write. `holding` is a descriptor which it inherits: it then keeps the pass lock
    when we die, and ends by a deadline of its own. `stop`, once set, ends it as its deadline would. `grace` seconds
    pass between asking what it leaves to end and killing that.
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
    """How a command ended, and what it wrote. `cut`: it wrote more than allowed, and was stopped for that."""

    result: CommandResult
    out: bytes
    err: bytes
    cut: bool

    @property
    def ok(self) -> bool:
        return self.result.ok and not self.cut


def program(command: CommandSpec) -> str | None:
    """The file to execute, found as the child would find it; None when there is none of that name."""
    name = command.argv[0]
    if "/" in name:
        path = command.cwd.absolute() / name
        return str(path) if path.exists() or not name.startswith("/") else None
    return shutil.which(name, path=command.env.get("PATH", ""))


def arguments(command: CommandSpec, program: str) -> tuple[str, ...]:
    """The arguments; a command that keeps the pass lock gets a deadline that holds when we are dead."""
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
    """Runs in the child, just before its program."""
    for number in (*STOPPING, signal.SIGQUIT, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
    os.umask(UMASK)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if command.file_bytes is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (command.file_bytes, command.file_bytes))
    if command.holding is not None:
        os.set_inheritable(command.holding, True)  # noqa: FBT003 - the function takes it so
