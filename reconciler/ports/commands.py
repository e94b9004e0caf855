"""A recipe's own commands: how each is run, and how it ended."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from attrs import frozen

from desired.model import Argv


@frozen
class RecipeCommand:
    """A command that the recipe declares. It runs in `cwd`, for at most `deadline`, and its output goes to `log`.

    It gets the variables in `env`, and those that every child process gets. `mark` is the mark of its slot. `grace` is
    how long the processes that it leaves may take to stop before they are killed.
    """

    argv: Argv
    cwd: Path
    env: Mapping[str, str]
    deadline: timedelta
    log: Path
    mark: str
    grace: timedelta = timedelta(seconds=3)


@frozen
class CommandResult:
    """How a command ended. `code` is negative for a signal, and None if the command never ran or had to be stopped.

    `missing`: there is no such program. `timed_out`: the deadline stopped the command. `ended` names the processes that
    outlived the command and were stopped, `killed` those of them that ignored SIGTERM. `tail` is the end of the log.
    `out_of_memory`: the kernel killed the command because memory ran out.
    """

    code: int | None
    tail: str = ""
    timed_out: bool = False
    missing: bool = False
    ended: tuple[str, ...] = ()
    killed: tuple[str, ...] = ()
    out_of_memory: bool = False

    @property
    def ok(self) -> bool:
        return self.code == 0


class Commands(Protocol):
    def run(self, command: RecipeCommand) -> CommandResult: ...

    def missing(self, tools: Sequence[str]) -> tuple[str, ...]:
        """Return those of `tools` that child processes would not find in PATH."""
        ...

    def pressure(self) -> str:
        """Return load, memory, disk and stalls of the host in one line."""
        ...
