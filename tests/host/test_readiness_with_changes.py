"""Waiting for an app whose driver tells of changes: by a clock that only the test moves."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from attrs import define, evolve, field

from desired.model import Ready
from reconciler.host.command_runner import HostCommands
from reconciler.host.readiness.wait import HostReadiness
from reconciler.ports.app import AppStatus, RunningApp, Unready
from reconciler.ports.commands import RecipeCommand

STARTING = RunningApp("1.0.0+1", "c" * 40, is_up=False, url="", address="127.0.0.1:1", problem="app has no task yet")
READY = Ready(http=None, run=("true",), timeout=timedelta(hours=1))


@define
class ToldChanges:
    """Moves the clock by the time of each wait, or to the time of the next of `changes`, which are in seconds."""

    changes: Sequence[float]
    seconds: float = 0.0
    waited: list[float] = field(factory=list)

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        raise AssertionError

    def wait(self, seconds: float) -> bool:
        self.waited.append(seconds)
        until = self.seconds + seconds
        change = next((change for change in self.changes if self.seconds < change <= until), None)
        self.seconds = until if change is None else change
        return change is not None


def wait(told: ToldChanges, status: Callable[[float], AppStatus], folder: Path) -> RunningApp | Unready:
    def sleep(seconds: float) -> None:
        told.seconds += seconds

    command = RecipeCommand(("true",), folder, {}, timedelta(seconds=30), folder / "probe.log", str(folder))
    readiness = HostReadiness(HostCommands({"PATH": "/usr/bin:/bin"}, folder), told, sleep)
    return readiness.wait(READY, lambda: status(told.seconds), command, told)


def up_from(second: float, settles: Callable[[float], timedelta | None]) -> Callable[[float], AppStatus]:
    def status(now: float) -> AppStatus:
        if now >= second:
            return evolve(STARTING, is_up=True, problem="")
        return evolve(STARTING, settles_in=settles(now))

    return status


def test_a_change_is_looked_at_when_it_comes(tmp_path: Path) -> None:
    told = ToldChanges(changes=[100.0])
    assert isinstance(wait(told, up_from(100.0, lambda _: None), tmp_path), RunningApp)
    assert 100.0 <= told.seconds < 101.0


def test_an_app_that_settles_by_itself_is_looked_at_when_it_has(tmp_path: Path) -> None:
    told = ToldChanges(changes=[])
    assert isinstance(wait(told, up_from(3.0, lambda now: timedelta(seconds=3.0 - now)), tmp_path), RunningApp)
    assert 3.0 <= told.seconds < 3.5


def test_a_change_without_an_event_is_noticed_within_two_seconds(tmp_path: Path) -> None:
    told = ToldChanges(changes=[])
    assert isinstance(wait(told, up_from(99.0, lambda _: None), tmp_path), RunningApp)
    assert 99.0 <= told.seconds < 101.5
    assert max(told.waited) == 2.0


def test_after_a_change_the_next_looks_follow_soon(tmp_path: Path) -> None:
    """Swarm notes a task's state a little after the event of its container."""
    told = ToldChanges(changes=[50.0])
    assert isinstance(wait(told, up_from(50.4, lambda _: None), tmp_path), RunningApp)
    assert told.seconds < 51.2


@pytest.mark.parametrize("second", [0.0, 0.3, 3.0, 41.7, 100.0])
def test_an_answer_tells_when_the_app_was_last_found_not_ready(tmp_path: Path, second: float) -> None:
    seen, unready = up_from(second, lambda _: None), []

    def status(now: float) -> AppStatus:
        unready.extend([now] if now < second else [])
        return seen(now)

    answer = wait(ToldChanges(changes=[41.7]), status, tmp_path)
    assert isinstance(answer, RunningApp)
    assert answer.unready_at == max(unready, default=None)
