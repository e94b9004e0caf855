"""The commands that a recipe declares: how one is run, and how it ended."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from attrs import frozen

from desired.model import Argv


@frozen
class RecipeCommand:
    """A command that a recipe declares, with all that is needed to run it.

    * `argv`: the program and its arguments.
    * `cwd`: the folder in which the command runs.
    * `env`: environment variables, besides those that every child process gets.
    * `deadline`: how long the command may take.
    * `log`: the file for the command's output.
    * `mark`: the mark of the slot, see `App`.
    * `grace`: how long processes that the command leaves running may take to stop before they are killed.
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
    """How a command of a recipe ended.

    * `code`: its exit code, or the negative number of the signal that ended it. None if it never ran, or was stopped.
    * `tail`: the end of its log.
    * `timed_out`: True if it was stopped because it took too long.
    * `missing`: True if there is no such program.
    * `ended`: the processes that outlived the command and were stopped, such as "sleep (pid 4711)".
    * `killed`: those processes in `ended` that did not stop in time after SIGTERM, and were killed.
    * `out_of_memory`: True if the kernel killed it because memory ran out.
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
        """Run a command to its end. Return how it ended: a command that fails raises no error."""

    def missing(self, tools: Sequence[str]) -> tuple[str, ...]:
        """Return the names of those programs in `tools` that are not in the PATH of child processes."""

    def pressure(self) -> str:
        """Return one line of text on how busy the host is.

        The line has the load, the free memory, the free disk space, and how long processes waited for these resources.
        """
