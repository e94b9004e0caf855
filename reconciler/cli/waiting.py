"""Waits until another process has given a lock back, for the commands that have `--wait`."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from attrs import frozen

from desired.declarations.problems import RefusedError
from desired.declarations.values import read_duration
from reconciler.errors import BusyError, UsageError
from reconciler.ports.host import Host
from state.folder.lock import holder

T = TypeVar("T")

# The lock is looked up in the kernel's list: looking is cheaper than another try, which asks upstream.
_LOOK_AGAIN = 1.0


@frozen
class Waiting:
    """What to wait for, and how long: until the slot of `recipe` is free, but at most `longest`.

    `lock` is the lock file of the slot.
    """

    recipe: str
    longest: timedelta
    lock: Path


def read_wait(span: str | None) -> timedelta:
    """Return the time to wait that `span`, the value of the option --wait, means, such as "30m"; zero if it is None.

    Raise UsageError if `span` is no duration.
    """
    try:
        return timedelta() if span is None else read_duration(span)
    except RefusedError as wrong:
        raise UsageError(f"--wait {span}: {wrong}") from wrong


@contextmanager
def when_free(host: Host, waiting: Waiting, open_it: Callable[[], AbstractContextManager[T]]) -> Iterator[T]:
    """Enter the context that `open_it` returns, and yield its value. After a BusyError, wait and try again.

    An error within the caller's `with` block is not tried again. The progress shows what is waited for, once for each
    reason. When the time in `waiting` is over, raise the BusyError.
    """
    with ExitStack() as stack:
        yield _entered(host, waiting, lambda: stack.enter_context(open_it()))


def _entered(host: Host, waiting: Waiting, enter: Callable[[], T]) -> T:
    """Call `enter` until it raises no BusyError, and return its result.

    When the time in `waiting` is over, raise the BusyError.
    """
    until, shown = host.clock.monotonic() + waiting.longest.total_seconds(), ""
    while True:
        try:
            return enter()
        except BusyError as busy:
            if host.clock.monotonic() >= until:
                raise
            if busy.message != shown:
                host.progress.step(waiting.recipe, f"waiting: {busy.message}")
                shown = busy.message
        _sleep_while_held(host, waiting.lock, until)


def _sleep_while_held(host: Host, lock: Path, until: float) -> None:
    """Sleep until no process holds `lock`, but at most until the monotonic time `until`. Sleep at least once."""
    while True:
        time.sleep(max(0.0, min(_LOOK_AGAIN, until - host.clock.monotonic())))
        if host.clock.monotonic() >= until or holder(lock) is None:
            return
