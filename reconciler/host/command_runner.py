"""Runs the commands that recipes declare, and describes how busy the host is."""

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

from attrs import evolve, frozen

from reconciler.core.sizes import size
from reconciler.host import memory
from reconciler.host.environment import ALLOWED
from reconciler.host.lines import read_or_empty
from reconciler.host.output import Log
from reconciler.host.processes.procfs import STATE_MARK
from reconciler.host.run import CommandSpec, run
from reconciler.ports.commands import CommandResult, RecipeCommand
from reconciler.redact import read_slot_secrets, redaction

# In bytes. A shorter value of an environment variable is probably a switch, not a secret: it is not redacted.
_SHORTEST = 8
_NO_SECRETS = (*ALLOWED, STATE_MARK)


def missing_programs(tools: Sequence[str], environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the programs among `tools` that are in no folder of the PATH in `environment`."""
    return tuple(tool for tool in tools if shutil.which(tool, path=environment["PATH"]) is None)


@frozen
class HostCommands:
    """Runs the commands of recipes on this host: implements the port Commands.

    `environment` is the environment of all child processes. `state` is the state folder: `pressure` reports the free
    space on its disk.
    """

    environment: Mapping[str, str]
    state: Path

    def run(self, command: RecipeCommand) -> CommandResult:
        """Run a command of a recipe's tests. Append its output to its log, with secrets masked. Return how it ended.

        If the command fails, is missing or takes too long, nothing is raised: the result says so.
        """
        secrets = (*read_slot_secrets(Path(command.mark)), *self._passed_on())
        log = Log(command.log, redaction(secrets))
        environment = {**self.environment, **command.env}
        seconds, kills_before = command.deadline.total_seconds(), memory.oom_kills()
        grace = command.grace.total_seconds()
        result = run(CommandSpec(command.argv, environment, command.cwd, seconds, mark=command.mark, grace=grace), log)
        return evolve(result, tail=log.tail, out_of_memory=memory.was_oom_killed(result.code, kills_before))

    def missing(self, tools: Sequence[str]) -> tuple[str, ...]:
        """Return the programs among `tools` that are not in the PATH of child processes."""
        return missing_programs(tools, self.environment)

    def pressure(self) -> str:
        """Return one line of text on how busy the host is.

        The line has the load, the free memory and disk space, and how long processes waited.
        """
        load = os.getloadavg()[0]
        disk = shutil.disk_usage(nearest_existing(self.state)).free
        return f"load {load:.1f} on {os.cpu_count()} cores, {_memory()}, disk {size(disk)} free{_stalls()}"

    def _passed_on(self) -> tuple[bytes, ...]:
        """Return the values of the environment variables that the fleet passes on to children. Logs mask these values.

        Values of less than 8 bytes (_SHORTEST) are left out, because they are probably no secrets.
        """
        values = [os.fsencode(value) for name, value in self.environment.items() if name not in _NO_SECRETS]
        return tuple(value for value in values if len(value) >= _SHORTEST)


@frozen
class SystemClock:
    """Reads the clocks of this host: implements the port Clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return monotonic()


def nearest_existing(path: Path) -> Path:
    """Return `path` if it exists, and the nearest folder above it that exists if not."""
    return next(folder for folder in (path, *path.absolute().parents) if folder.exists())


def _memory() -> str:
    available = memory.available_memory()
    return f"memory {size(available)} available" if available is not None else "memory unknown"


def _stalls() -> str:
    """Return how much of the last ten seconds processes waited for CPU, memory and disks (io), in percent.

    The text is ", cpu stalled 3 %, memory stalled 0 %, io stalled 1 %". It is "" if the kernel does not report these
    times.
    """
    shares = {
        name: re.search(r"^some avg10=([\d.]+)", read_or_empty(Path(f"/proc/pressure/{name}")))
        for name in ("cpu", "memory", "io")
    }
    return "".join(f", {name} stalled {share[1]} %" for name, share in shares.items() if share)
