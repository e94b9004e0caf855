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
    """How long to wait for the slot of the recipe `recipe`, at most `longest`, until the lock file `lock` is free."""

    recipe: str
    longest: timedelta
    lock: Path


def read_wait(span: str | None) -> timedelta:
    """Return the duration that the value of --wait names, none at all for None. Raise UsageError if it is not one."""
    try:
        return timedelta() if span is None else read_duration(span)
    except RefusedError as wrong:
        raise UsageError(f"--wait {span}: {wrong}") from wrong


@contextmanager
def when_free(host: Host, waiting: Waiting, open_it: Callable[[], AbstractContextManager[T]]) -> Iterator[T]:
    """Enter what `open_it` returns, again and again until no BusyError prevents it. Yield what it yields.

    Only entering is tried again, not what the `with` block does. Show once for each reason what is waited for. Raise
    the BusyError if the longest time to wait is over.
    """
    with ExitStack() as stack:
        yield _entered(host, waiting, lambda: stack.enter_context(open_it()))


def _entered(host: Host, waiting: Waiting, enter: Callable[[], T]) -> T:
    """Return what `enter` returns; call it again after a BusyError, as `when_free` says."""
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
    """Sleep once, and while a process can be seen that holds `lock`; at most until the monotonic time `until`."""
    while True:
        time.sleep(max(0.0, min(_LOOK_AGAIN, until - host.clock.monotonic())))
        if host.clock.monotonic() >= until or holder(lock) is None:
            return
