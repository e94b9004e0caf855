"""Recorded services and tasks of an engine, and changes to them."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from reconciler.host.swarm.services.service_health import StackHealth, stack_health

Json = Mapping[str, Any]


RECORDINGS = Path(__file__).parent / "recordings"
NAMES = sorted(path.stem for path in RECORDINGS.glob("*.json"))
PREFIX = "canon-recording_"


@frozen
class Recording:
    services: Sequence[Json]
    tasks: Sequence[Json]
    now: datetime

    def later(self, seconds: float) -> "Recording":
        return evolve(self, now=self.now + timedelta(seconds=seconds))

    def settling(self) -> StackHealth:
        return stack_health(self.services, self.tasks, PREFIX, self.now)

    def failure(self) -> str:
        """The failure's kind and message."""
        failure = self.settling().failure
        return f"{type(failure).__name__}: {failure.message}" if failure else ""


@cache
def recorded(name: str) -> Recording:
    told = json.loads((RECORDINGS / f"{name}.json").read_text())
    return Recording(told["services"], told["tasks"], datetime.fromisoformat(told["now"]))


# ---- failures ----


EXIT = "task: non-zero exit (3)"
AGAIN = "fails again and again, "


def with_status(task: Json, **status: object) -> Json:
    return {**task, "Status": {**task["Status"], **status}}


def with_ends(recording: Recording, **told: object) -> Recording:
    """With what the containers of tasks that are complete tell beside."""
    return evolve(
        recording,
        tasks=[{**task, **told} if task["Status"]["State"] == "complete" else task for task in recording.tasks],
    )
