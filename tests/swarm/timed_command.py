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
from reconciler.host.swarm.engine.event_stream import EventStream


@define
class TimeTaken:
    """Seconds that other programs ran (`commands`), the engine was asked (`calls`), and of pauses (`waiting`)."""

    seconds: dict[str, float] = field(factory=lambda: {"commands": 0.0, "calls": 0.0, "waiting": 0.0})
    is_timing: bool = False

    def timed(self, what: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:  # noqa: ANN401  whatever the function takes
            # A call within another counts once.
            if self.is_timing:
                return function(*given, **named)
            self.is_timing, begun = True, time.monotonic()
            try:
                return function(*given, **named)
            finally:
                self.is_timing = False
                self.seconds[what] += time.monotonic() - begun

        return call


def main(file: str, *words: str) -> int:
    taken = TimeTaken()
    for name in ("_start", "_wait_for"):
        command_runner.__dict__[name] = taken.timed("commands", command_runner.__dict__[name])
    Connection.call = taken.timed("calls", Connection.call)  # type: ignore[method-assign]
    EventStream.wait = taken.timed("waiting", EventStream.wait)  # type: ignore[method-assign]
    time.__dict__["sleep"] = taken.timed("waiting", time.sleep)
    begun = time.monotonic()
    code = run(words)
    told = {"wall": time.monotonic() - begun, "cpu": time.process_time(), **taken.seconds}
    Path(file).write_text(json.dumps(told))
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
