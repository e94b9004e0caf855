"""Waits until another process has given a lock back, for the commands that have `--wait`."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import timedelta
from itertools import chain, repeat
from pathlib import Path
from typing import TypeVar

from attrs import frozen

from desired.declarations.durations import read_duration
from desired.declarations.problems import RefusedError
from reconciler.errors import BusyError, UsageError
from reconciler.ports.host import Host
from state.folder.lock import holder

T = TypeVar("T")

# In seconds. The lock is looked up in the kernel's list: looking is cheaper than another try, which asks upstream.
_LOOK_AGAIN = 1.0
# In seconds. If no process is seen to hold the lock, and yet it is not free, the pauses between two tries grow to this.
_TRY_AGAIN = 30.0


@frozen
class Waiting:
    """How to wait for something that another process uses.

    * `recipe`: the recipe for which the command waits.
    * `longest`: the longest time to wait.
    * `sleep`: a function that waits the given number of seconds.
    """

    recipe: str
    longest: timedelta
    sleep: Callable[[float], None] = time.sleep


def read_wait(span: str | None) -> timedelta:
    """Return the time to wait that `span`, the value of the option --wait, means, such as "30m"; zero if it is None.

    Raise UsageError if `span` is no duration.
    """
    try:
        return timedelta() if span is None else read_duration(span)
    except RefusedError as wrong:
        raise UsageError(f"--wait {span}: {wrong}") from wrong


@contextmanager
def when_free(
    host: Host,
    waiting: Waiting,
    open_it: Callable[[], AbstractContextManager[T]],
    open_again: Callable[[], AbstractContextManager[T]],
) -> Iterator[T]:
    """Enter the context that `open_it` returns, and yield its value.

    If entering raises a BusyError, wait, and then enter a context that `open_again` returns, as often as needed. The
    progress shows what is waited for, once for each reason. When the time in `waiting` is over, raise the last
    BusyError. An error within the caller's `with` block is not tried again.
    """
    with ExitStack() as stack:
        tries = chain([open_it], repeat(open_again))
        yield _entered(host, waiting, lambda: stack.enter_context(next(tries)()))


def _entered(host: Host, waiting: Waiting, enter: Callable[[], T]) -> T:
    """Call `enter` again and again until it raises no BusyError, and return its result.

    When the time in `waiting` is over, raise the BusyError of the last call.
    """
    until, shown, pause = host.clock.monotonic() + waiting.longest.total_seconds(), "", _LOOK_AGAIN
    while True:
        try:
            return enter()
        except BusyError as busy:
            if host.clock.monotonic() >= until:
                raise
            if busy.message != shown:
                host.progress.step(waiting.recipe, f"waiting: {busy.message}")
                shown = busy.message
            lock = busy.lock
        was_held = _sleep_while_held(host, waiting.sleep, lock, pause, until)
        pause = _LOOK_AGAIN if was_held else min(2 * pause, _TRY_AGAIN)


def _sleep_while_held(host: Host, sleep: Callable[[float], None], lock: Path, pause: float, until: float) -> bool:
    """Sleep for `pause` seconds, and then until no process is seen to hold `lock`.

    Stop at the monotonic time `until` (in seconds), even if a process still holds the lock. Return whether a process
    was seen to hold the lock after the first `pause`. `sleep` waits the given number of seconds.
    """
    was_held = False
    while True:
        sleep(max(0.0, min(pause, until - host.clock.monotonic())))
        if host.clock.monotonic() >= until or holder(lock) is None:
            return was_held
        was_held, pause = True, _LOOK_AGAIN
