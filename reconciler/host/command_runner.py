"""Runs the commands that recipes declare, and reads how busy the host is."""

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

from attrs import evolve, frozen

from reconciler.host import memory
from reconciler.host.environment import ALLOWED
from reconciler.host.output import Log
from reconciler.host.processes.procfs import STATE_MARK
from reconciler.host.run import CommandSpec, run
from reconciler.ports.commands import CommandResult, RecipeCommand
from reconciler.redact import read_slot_secrets, redaction

_GIB = 1024**3
# In bytes. A shorter value of a variable that is passed on is a switch and no secret: it is not redacted.
_SHORTEST = 8
_NO_SECRETS = (*ALLOWED, STATE_MARK)


@frozen
class HostCommands:
    """Implements the Commands port. `environment` is the environment of all children.

    `state` is the state folder: `pressure` also reports how much space is free on its disk.
    """

    environment: Mapping[str, str]
    state: Path

    def run(self, command: RecipeCommand) -> CommandResult:
        secrets = (*read_slot_secrets(Path(command.mark)), *self._passed_on())
        log = Log(command.log, redaction(secrets))
        environment = {**self.environment, **command.env}
        seconds, kills_before = command.deadline.total_seconds(), memory.oom_kills()
        grace = command.grace.total_seconds()
        result = run(CommandSpec(command.argv, environment, command.cwd, seconds, mark=command.mark, grace=grace), log)
        return evolve(result, tail=log.tail, out_of_memory=memory.was_oom_killed(result.code, kills_before))

    def missing(self, tools: Sequence[str]) -> tuple[str, ...]:
        return tuple(tool for tool in tools if shutil.which(tool, path=self.environment["PATH"]) is None)

    def pressure(self) -> str:
        load = os.getloadavg()[0]
        disk = shutil.disk_usage(_existing(self.state)).free / _GIB
        return f"load {load:.1f} on {os.cpu_count()} cores, {_memory()}, disk {disk:.1f} GiB free{_stalls()}"

    def _passed_on(self) -> tuple[bytes, ...]:
        """Return the values of the variables that the fleet passes on to children, to be redacted in logs.

        Each may be a password. Leaves out short values.
        """
        values = [os.fsencode(value) for name, value in self.environment.items() if name not in _NO_SECRETS]
        return tuple(value for value in values if len(value) >= _SHORTEST)


@frozen
class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return monotonic()


def _existing(path: Path) -> Path:
    return next(folder for folder in (path, *path.absolute().parents) if folder.exists())


def _memory() -> str:
    available = re.search(r"^MemAvailable:\s+(\d+) kB", _read("/proc/meminfo"), re.MULTILINE)
    return f"memory {int(available[1]) * 1024 / _GIB:.1f} GiB available" if available else "memory unknown"


def _stalls() -> str:
    """Return as text in how many percent of the last ten seconds processes had to wait for CPU, memory, and disks.

    Returns "" if the kernel does not report that.
    """
    shares = {
        name: re.search(r"^some avg10=([\d.]+)", _read(f"/proc/pressure/{name}")) for name in ("cpu", "memory", "io")
    }
    return "".join(f", {name} stalled {share[1]} %" for name, share in shares.items() if share)


def _read(path: str) -> str:
    try:
        return Path(path).read_text("ascii", "replace")
    except OSError:
        return ""
