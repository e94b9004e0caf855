"""Workers are real processes here: what they report, how they die, and that none outlives its parent."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest
from attrs import define, field

from reconciler.cli.composition import interruptible
from reconciler.errors import InterruptedPassError
from reconciler.host.run import CommandSpec, capture, prepare
from reconciler.host.workers import ForkedWorkers
from reconciler.ports.host import Host, Progress
from reconciler.ports.workers import WorkerDied, WorkerStopped
from tests.procfile_apps import is_running, wait_for, wait_for_line


@define
class Shown:
    """Progress that keeps what was shown."""

    lines: list[str] = field(factory=list)
    running: list[frozenset[str]] = field(factory=list)

    def step(self, recipe: str, doing: str, last_seconds: float | None = None) -> None:  # noqa: ARG002  of the port
        self.lines.append(f"{recipe}: {doing}")

    def done(self, recipe: str, result: str) -> None:
        self.lines.append(f"{recipe}: {result}")


@define
class SmallHost:
    """Stands for the host of a worker: its progress and its place."""

    progress: Progress
    place: int


def host_for(progress: Progress, place: int) -> Host:
    return cast("Host", SmallHost(progress, place))


@pytest.fixture
def shown() -> Shown:
    return Shown()


@pytest.fixture
def workers(shown: Shown) -> Iterator[ForkedWorkers]:
    with interruptible():
        made = ForkedWorkers(3, host_for, shown, shown.running.append)
        yield made
        for _ in made.stop(signal.SIGKILL):
            pass


def report(name: str) -> Callable[[Host], object]:
    def work(host: Host) -> object:
        host.progress.step(name, "at work")
        host.progress.done(name, "done")
        return name, cast("SmallHost", host).place, os.getpid()

    return work


def sleep(folder: Path) -> Callable[[Host], object]:
    def work(_: Host) -> object:
        (folder / f"{os.getpid()}").touch()
        try:
            time.sleep(600)
        finally:
            (folder / f"{os.getpid()}").unlink()
        return "slept"

    return work


def die(_: Host) -> object:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def fail(_: Host) -> object:
    raise ValueError("a bug in a worker")


def test_each_worker_is_a_process_of_its_own_with_a_place_of_its_own(workers: ForkedWorkers, shown: Shown) -> None:
    for name in ("a", "b", "c"):
        workers.start(name, report(name))
    ends = dict(workers.next_end() for _ in range(3))
    assert {
        name: (told, place) for name, (told, place, _) in cast("dict[str, tuple[str, int, int]]", ends).items()
    } == {
        "a": ("a", 0),
        "b": ("b", 1),
        "c": ("c", 2),
    }
    assert len({end[2] for end in cast("dict[str, tuple[str, int, int]]", ends).values()} | {os.getpid()}) == 4
    assert sorted(shown.lines) == sorted(f"{name}: {what}" for name in "abc" for what in ("at work", "done"))
    assert shown.running[-1] == frozenset()
    workers.start("d", report("d"))
    assert cast("tuple[str, tuple[str, int, int]]", workers.next_end())[1][:2] == ("d", 0)


def test_a_worker_that_is_killed_or_fails_is_said_to_have_died(
    workers: ForkedWorkers, capfd: pytest.CaptureFixture[str]
) -> None:
    workers.start("a", die)
    workers.start("b", fail)
    workers.start("c", report("c"))
    ends = dict(workers.next_end() for _ in range(3))
    assert (ends["a"], ends["b"]) == (WorkerDied("was ended by SIGKILL"), WorkerDied("ended with exit code 1"))
    assert isinstance(ends["c"], tuple)
    assert "a bug in a worker" in capfd.readouterr().err


def test_stopping_passes_the_signal_on_and_waits_until_all_have_ended(workers: ForkedWorkers, tmp_path: Path) -> None:
    workers.start("a", sleep(tmp_path))
    workers.start("b", sleep(tmp_path))
    wait_for(lambda: len(list(tmp_path.iterdir())) == 2)
    assert dict(workers.stop(signal.SIGTERM)) == {"a": WorkerStopped(), "b": WorkerStopped()}
    assert list(tmp_path.iterdir()) == []


def test_a_signal_wakes_the_process_that_waits_for_workers(workers: ForkedWorkers, tmp_path: Path) -> None:
    workers.start("a", sleep(tmp_path))
    wait_for(lambda: any(tmp_path.iterdir()))
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    before = signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGINT))
    try:
        with pytest.raises(InterruptedPassError):
            workers.next_end()
    finally:
        signal.signal(signal.SIGALRM, before)
    assert dict(workers.stop(signal.SIGINT)) == {"a": WorkerStopped()}


def test_commands_of_a_killed_worker_end_before_its_death_is_reported(workers: ForkedWorkers, tmp_path: Path) -> None:
    told = tmp_path / "pid"

    def work(_: Host) -> object:
        (tmp_path / "worker").write_text(f"{os.getpid()}\n")
        write_pid = f"echo $$ > {told}; exec sleep 600"
        return capture(CommandSpec(("sh", "-c", write_pid), {"PATH": os.environ["PATH"]}, tmp_path, 900.0))

    prepare()
    workers.start("a", work)
    pid = int(wait_for_line(told))
    os.kill(int((tmp_path / "worker").read_text()), signal.SIGKILL)
    assert workers.next_end() == ("a", WorkerDied("was ended by SIGKILL"))
    assert not is_running(pid)


def test_no_worker_outlives_its_parent(tmp_path: Path) -> None:
    parent = os.fork()
    if parent == 0:
        made = ForkedWorkers(2, host_for, Shown())
        for name in ("a", "b"):
            made.start(name, sleep(tmp_path))
        signal.pause()
        os._exit(1)
    wait_for(lambda: len(list(tmp_path.iterdir())) == 2)
    pids = [int(path.name) for path in tmp_path.iterdir()]
    os.kill(parent, signal.SIGKILL)
    os.waitpid(parent, 0)
    try:
        wait_for(lambda: not any(map(is_running, pids)))
    finally:
        for pid in filter(is_running, pids):
            os.kill(pid, signal.SIGKILL)
