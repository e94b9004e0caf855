"""Runs the real `reconcile` and kills it right after one port call of a promotion, or before the first.

Started as: python -m tests.self_killing_command LOG NUMBER WORDS
NUMBER is 0 for "before the first call" and -1 for "never". LOG gets the calls, one a line.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attrs import define, evolve, fields

from reconciler.cli import passes, run
from reconciler.cli.composition import make_host
from reconciler.ports.host import Host

PORTS = ("upstream", "mirrors", "secrets", "commands", "readiness", "registry", "snapshots")
# The number of readiness checks differs between two runs.
UNCOUNTED = {"status", "refs"}


@define
class KillSwitch:
    """Counts port calls from the start of a promotion until it is recorded, and kills this process at `number`."""

    log: Path
    number: int
    calls: int = 0
    counting: bool = False

    def call(self, name: str, function: Callable[[], Any]) -> Any:  # noqa: ANN401  what the port answers
        if name == "registry.begin":
            self.counting = True
        if not self.counting or name.split(".")[1] in UNCOUNTED:
            return function()
        self._end_here()
        self.calls += 1
        with self.log.open("a") as file:
            file.write(f"{name}\n")
        answer = function()
        self._end_here()
        if name == "registry.remember":
            self.counting = False
        return answer

    def _end_here(self) -> None:
        if self.calls == self.number:
            os.kill(os.getpid(), signal.SIGKILL)


class WatchedPort:
    """A port whose calls are counted."""

    def __init__(self, name: str, port: object, script: KillSwitch) -> None:
        self._seen = (name, port, script)

    def __getattr__(self, attribute: str) -> Any:  # noqa: ANN401  whatever the port has
        name, port, script = self._seen
        value = getattr(port, attribute)
        if not callable(value):
            return value
        return lambda *given, **named: script.call(f"{name}.{attribute}", lambda: value(*given, **named))


def watched(host: Host, script: KillSwitch) -> Host:
    ports: dict[str, Any] = {name: WatchedPort(name, getattr(host, name), script) for name in PORTS}
    drivers: Any = {name: WatchedPort("driver", driver, script) for name, driver in host.drivers.items()}
    return evolve(host, drivers=drivers, **ports)


def main(log: str, number: str, *words: str) -> int:
    """Run the real command, with every port of its host wrapped."""
    script = KillSwitch(Path(log), int(number))
    passes.__dict__["make_host"] = lambda *given: watched(make_host(*given), script)
    return run(words)


assert {field.name for field in fields(Host)} >= {*PORTS, "drivers"}

if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
