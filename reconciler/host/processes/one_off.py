"""Runs the one-off lines of a Procfile: they run once at each deployment, before the other lines start."""

import signal
from collections.abc import Mapping
from pathlib import Path

from reconciler.errors import MORE_MEMORY, InfrastructureError, RecipeError, TimedOutError
from reconciler.host import app_directory, memory
from reconciler.host.command_spec import CommandSpec
from reconciler.host.output import Log
from reconciler.host.processes.procfile import ONE_OFF
from reconciler.host.run import run
from reconciler.ports.app import App, DeployOptions
from reconciler.ports.commands import CommandResult

_SHOWN = 12


def run_all(
    app: App, commands: Mapping[str, str], environment: Mapping[str, str], checkout: Path, options: DeployOptions
) -> tuple[str, ...]:
    """Run the one-off lines of a Procfile (`release`, and the others in ONE_OFF), in the order of the Procfile.

    `commands` maps the name of each line to its shell command, which runs in the folder `checkout`. A process that a
    line leaves running is ended. Return a remark on each such process. After a line that fails, no other line runs:
    * Memory ran out: raise InfrastructureError.
    * The line took longer than `options.timeout`, or a process that it left had to be killed: raise TimedOutError.
    * The line failed for any other reason: raise RecipeError.
    """
    remarks: list[str] = []
    seconds, grace = options.timeout.total_seconds(), app.grace.total_seconds()
    for name in (name for name in commands if name in ONE_OFF):
        kills_before, log = memory.oom_kills(), app_directory.open_log_for_appending(app, name)
        argv = ("/bin/sh", "-c", commands[name])
        result = run(CommandSpec(argv, environment, checkout, seconds, mark=app.mark, grace=grace), log)
        if memory.was_oom_killed(result.code, kills_before):
            raise InfrastructureError(f"{app.recipe}: {name} was killed because memory ran out", MORE_MEMORY)
        _raise_failure(f"{app.recipe} {options.version}: {name}", result, seconds, log)
        remarks += [f"{name} left {process} running; it was ended" for process in result.ended]
    return tuple(remarks)


def _raise_failure(what: str, result: CommandResult, seconds: float, log: Log) -> None:
    """Raise an error if a one-off line failed. Do nothing if it succeeded.

    The error is a TimedOutError if the line took too long, or if a process that it left running had to be killed. In
    all other cases it is a RecipeError.
    * `what`: names the line in the message.
    * `result`: how the line ended.
    * `seconds`: how long the line was allowed to run.
    * `log`: the log of the line. Its end is added to the error.
    """
    tail = tuple(log.tail.splitlines()[-_SHOWN:])
    if result.timed_out:
        raise TimedOutError(f"{what} did not end within {seconds:g} s", tail=tail)
    if result.code != 0:
        raise RecipeError(f"{what} ended {describe_exit(result.code or 0)}", tail=tail)
    if result.killed:
        left = f"{what} left {', '.join(result.killed)} running, which did not end on SIGTERM and was killed"
        # Not a KilledError: at a deployment, that means that the earlier release had to be killed.
        raise TimedOutError(f"{left}, so what it wrote may be cut off", tail=tail)


def describe_exit(code: int) -> str:
    """Return an exit code in words: "by SIGTERM" for -15, "with exit code 143 (SIGTERM)" for 143.

    A shell exits with 128 plus the number of the signal if a signal ended its command.
    """
    number = -code if code < 0 else code - 128
    name = signal.Signals(number).name if number in {one.value for one in signal.Signals} else ""
    if code < 0:
        return f"by {name}"
    return f"with exit code {code}" + (f" ({name})" if name else "")


def describe_line_end(name: str, code: int) -> str:
    """Return how the line `name` of a Procfile ended, such as "worker ended with exit code 1".

    If a line other than `web` ended with 0, it may be meant to run only once. The text then adds that a line that runs
    once is named `release`.
    """
    advice = ": a line that runs once, before web, is named release" if code == 0 and name != "web" else ""
    return f"{name} ended {describe_exit(code)}{advice}"
