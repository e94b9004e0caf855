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

    `env` are variables that it gets besides those that every child process gets. `mark` is the mark of its slot, as in
    `App`. `grace` is how long processes that the command leaves running may take to stop before they are killed.
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
    """How a command ended.

    `code` is its exit code: the negative number of a signal that ended it, None if it never ran or had to be stopped.
    `missing` is True if there is no such program, `timed_out` if the command was stopped at its deadline. `ended` names
    the processes that outlived the command and were stopped, `killed` those of them that ignored SIGTERM. `tail` is the
    end of the log. `out_of_memory` is True if the kernel killed the command because memory ran out.
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
    """Runs commands of recipes on this host."""

    def run(self, command: RecipeCommand) -> CommandResult:
        """Run a command to its end, and return how it ended. A failure of the command is returned, and not raised."""

    def missing(self, tools: Sequence[str]) -> tuple[str, ...]:
        """Return those of the programs `tools` that child processes would not find in PATH."""

    def pressure(self) -> str:
        """Return one line of text with the host's load, free memory and disk space, and how long processes waited."""
