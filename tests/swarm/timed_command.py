"""Runs the real `reconcile` and measures the time that other programs and waiting take.

Started as: python -m tests.swarm.timed_command FILE WORDS. FILE gets the seconds, as JSON.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attrs import define, field

from reconciler.cli import run
from reconciler.host import run as command_runner
from reconciler.host.swarm.engine.connection import Connection


@define
class TimeTaken:
    """Seconds that other programs ran (`commands`), the engine was asked (`calls`), and in `time.sleep` (`waiting`)."""

    seconds: dict[str, float] = field(factory=lambda: {"commands": 0.0, "calls": 0.0, "waiting": 0.0})

    def timed(self, what: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:  # noqa: ANN401  whatever the function takes
            begun = time.monotonic()
            try:
                return function(*given, **named)
            finally:
                self.seconds[what] += time.monotonic() - begun

        return call


def main(file: str, *words: str) -> int:
    taken = TimeTaken()
    for name in ("_start", "_wait_for"):
        command_runner.__dict__[name] = taken.timed("commands", command_runner.__dict__[name])
    Connection.call = taken.timed("calls", Connection.call)  # type: ignore[method-assign]
    time.__dict__["sleep"] = taken.timed("waiting", time.sleep)
    begun = time.monotonic()
    code = run(words)
    told = {"wall": time.monotonic() - begun, "cpu": time.process_time(), **taken.seconds}
    Path(file).write_text(json.dumps(told))
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
