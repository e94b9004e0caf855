"""Runs the commands of a recipe's tests against its deployed app."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from enum import StrEnum

from attrs import evolve

from desired.model import Argv
from reconciler.deploy.app_health import TAIL_LINES, check_up
from reconciler.deploy.command_environment import make_command
from reconciler.deploy.slot import DeployedApp, Slot
from reconciler.errors import (
    MORE_MEMORY,
    InfrastructureError,
    KilledError,
    RecipeError,
    StoppedError,
    TimedOutError,
)
from reconciler.ports.app import RunningApp
from reconciler.ports.commands import CommandResult


class ProbeAnswer(StrEnum):
    """How a command ended that is expected to fail.

    * PASSED: it exited with 0.
    * FAILED: it ended by itself, in time, and did not exit with 0.
    * LATE: it was stopped because it took too long. Whether it would have passed is not known.
    """

    PASSED = "passed"
    FAILED = "failed"
    LATE = "did not end in time"


def run_command(slot: Slot, deployed: DeployedApp, argv: Argv, what: str, *, may_stop: bool = False) -> None:
    """Run a command of the recipe's tests against its deployed app.

    * `argv`: the program and its arguments.
    * `what`: a name for the command in errors, such as "data.check".
    * `may_stop`: True if the command itself may stop the app. Then the recipe is to blame if the app is stopped.

    If the command fails, raise RecipeError or TimedOutError. Raise InfrastructureError if this host is to blame, for
    example because an app was stopped from outside. Processes that the command leaves running are ended, and named in
    the slot's remarks. Raise KilledError if one of them had to be killed.
    """
    status = deployed.driver.status(deployed.app)
    if not isinstance(status, RunningApp):
        with _ignore_stopped(may_stop):
            check_up(slot)
        raise RecipeError(f"{what}: {deployed.recipe.name} no longer runs: {status.reason}")
    grace = deployed.recipe.stop.grace
    result = slot.host.commands.run(evolve(make_command(slot, deployed, argv, status), grace=grace))
    if not result.timed_out:
        slot.remarks += [f"{what} left {name} running; it was ended" for name in result.ended]
    if not result.ok:
        # If an app went down, `check_up` raises that: it explains more than the exit code.
        with _ignore_stopped(may_stop):
            check_up(slot)
        raise _command_error(slot, argv, what, result)
    if result.killed:
        left = f"{what} left {', '.join(result.killed)} running, which did not end within {grace.total_seconds():g} s"
        raise KilledError(f"{left} of SIGTERM and was killed, so what it wrote may be cut off")


def run_commands(slot: Slot, deployed: DeployedApp, commands: Sequence[Argv], what: str) -> None:
    """Run commands of the recipe's tests against the recipe's app `deployed`, in order until one fails.

    `what` is a name for all of them. An error names the failed command by `what` and its number, such as "custom test
    1" if `what` is "custom test".

    If a command fails, raise RecipeError or TimedOutError. Raise InfrastructureError if this host is to blame.
    """
    for number, argv in enumerate(commands, 1):
        run_command(slot, deployed, argv, f"{what} {number}")


def probe_command(slot: Slot, deployed: DeployedApp, argv: Argv, what: str) -> ProbeAnswer:
    """Run the command `argv` of the recipe's tests, which is expected to fail. Return how it ended.

    It has as much time as in `run_command`: with less time, it could be late here and pass later.

    Raise RecipeError if the recipe's app `deployed` went down, or if there is no such program. Raise
    InfrastructureError if a needed app went down, if this host is to blame, or if memory ran out. `what` names the
    command in the error.
    """
    status = deployed.driver.status(deployed.app)
    if not isinstance(status, RunningApp):
        check_up(slot)
        raise RecipeError(f"{what}: {deployed.recipe.name} no longer runs: {status.reason}")
    result = slot.host.commands.run(make_command(slot, deployed, argv, status))
    if result.out_of_memory or result.missing:
        raise _command_error(slot, argv, what, result)
    if result.ok:
        return ProbeAnswer.PASSED
    check_up(slot)
    return ProbeAnswer.LATE if result.timed_out else ProbeAnswer.FAILED


def _ignore_stopped(ignore: bool) -> AbstractContextManager[None]:  # noqa: FBT001 - named by its caller
    """Return a context manager that ignores a StoppedError if `ignore` is True, and does nothing otherwise."""
    return suppress(StoppedError) if ignore else nullcontext()


def _command_error(slot: Slot, argv: Argv, what: str, result: CommandResult) -> RecipeError | InfrastructureError:
    """Return the error for the failed command `argv`. `result` is how it ended. `what` names the command in the error.

    The error is an InfrastructureError if memory ran out, or if the program is not in PATH. Otherwise it is a
    RecipeError; if the command took too long, a TimedOutError, which is a kind of RecipeError.
    """
    tail = tuple(slot.redact(result.tail).splitlines()[-TAIL_LINES:])
    if result.missing and "/" not in argv[0]:
        return InfrastructureError(f"{what}: {argv[0]} is not on this host", "install it, or name it in `requires`")
    if result.missing:
        return RecipeError(f"{what}: there is no {argv[0]}")
    if result.out_of_memory:
        return InfrastructureError(f"{what} was killed because memory ran out", MORE_MEMORY)
    if result.timed_out:
        return TimedOutError(f"{what} was not done in time", slot.host.commands.pressure(), tail)
    return RecipeError(f"{what} exited {result.code}", tail=tail)
