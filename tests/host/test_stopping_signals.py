import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.host.stopping_signals import STOPPING, blocked_signals, held_signals
from tests.host.commands_to_run import run_and_capture


@pytest.fixture(scope="module")
def handled() -> Iterator[list[int]]:
    """The numbers of the signals of STOPPING that this process has handled."""
    came: list[int] = []
    before = {number: signal.signal(number, lambda number, _: came.append(number)) for number in STOPPING}
    yield came
    for number, handler in before.items():
        signal.signal(number, handler)


@given(numbers=st.lists(st.sampled_from(STOPPING), max_size=4))
def test_a_held_signal_takes_effect_once_at_the_end_of_the_block(handled: list[int], numbers: list[int]) -> None:
    handled.clear()
    with held_signals():
        for number in numbers:
            os.kill(os.getpid(), number)
        during = list(handled)
    assert (during, set(handled), len(handled)) == ([], set(numbers), len(set(numbers)))


def test_the_error_of_a_handler_is_raised_at_the_end_of_the_block() -> None:
    reached = []

    def interrupt_and_go_on() -> None:
        with held_signals():
            os.kill(os.getpid(), signal.SIGINT)
            reached.append(True)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            interrupt_and_go_on()
    finally:
        signal.signal(signal.SIGINT, before)
    assert reached


def test_what_was_ignored_is_ignored_again() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with held_signals():
            os.kill(os.getpid(), signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_signal_within_two_blocks_waits_for_the_outer_one(handled: list[int]) -> None:
    handled.clear()
    with blocked_signals():
        with held_signals():
            os.kill(os.getpid(), signal.SIGTERM)
        assert handled == []
    assert handled == [signal.SIGTERM]


@pytest.mark.parametrize("disposition", [signal.SIG_IGN, signal.SIG_DFL])
def test_a_command_can_be_stopped_even_if_canon_blocks_or_ignores_signals(disposition: signal.Handlers) -> None:
    before = {number: signal.signal(number, disposition) for number in (signal.SIGHUP, signal.SIGQUIT)}
    try:
        with blocked_signals():
            status = run_and_capture("cat", "/proc/self/status").out.decode()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    for field in ("SigBlk", "SigIgn"):
        mask = re.search(rf"{field}:\s+([0-9a-f]+)", status)
        assert mask
        assert [number for number in (*STOPPING, signal.SIGQUIT) if int(mask[1], 16) >> (number - 1) & 1] == []


def test_nothing_is_held_back_in_another_thread(handled: list[int]) -> None:
    handled.clear()
    holds, ends = threading.Event(), threading.Event()

    def hold() -> None:
        with held_signals():
            holds.set()
            ends.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    holds.wait()
    os.kill(os.getpid(), signal.SIGTERM)
    during = list(handled)
    ends.set()
    thread.join()
    assert during == [signal.SIGTERM]


STOPPED_WHILE_STARTING = """
import os, signal
from pathlib import Path
from reconciler.errors import InterruptedPassError
from reconciler.host.command_spec import CommandSpec
from reconciler.host.run import capture, prepare

def stop(number, frame):
    raise InterruptedPassError(number)

def left():
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return len(children), len(os.listdir("/proc/self/fd"))

prepare()
signal.signal(signal.SIGTERM, stop)
before = left()
for _ in range(25):
    try:
        capture(CommandSpec(("sleep", "600"), {"PATH": "/usr/bin:/bin"}, Path("/"), 900.0))
    except InterruptedPassError:
        pass
    print(*before, *left(), flush=True)
"""


def test_a_signal_that_comes_while_a_command_starts_ends_the_command() -> None:
    command, seen = [sys.executable, "-c", STOPPED_WHILE_STARTING], set[str]()
    with subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True) as started:
        while started.poll() is None:
            with suppress(OSError):
                children = Path(f"/proc/{started.pid}/task/{started.pid}/children").read_text("ascii").split()
                for child in set(children) - seen:
                    seen.add(child)
                    started.send_signal(signal.SIGTERM)
        assert started.stdout
        lines = [line.split() for line in started.stdout.read().splitlines()]
    assert [(line[0], line[1]) == (line[2], line[3]) for line in lines] == [True] * 25
