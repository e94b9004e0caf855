"""Polls until something has happened or time is up."""

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

# In seconds. A single check that hung must not cause a pause of minutes.
LONGEST_AFTER_SLOW_CHECK = 10.0

T = TypeVar("T")


def poll(  # noqa: PLR0913 - tests replace clock and sleep
    check: Callable[[], T],
    is_done: Callable[[T], bool],
    seconds: float,
    pauses: Iterator[float],
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Call `check` until `is_done` accepts its result, or `seconds` are over. Returns the last result."""
    until = clock() + seconds
    while not is_done(result := check()) and (left := until - clock()) > 0:
        sleep(min(next(pauses), left))
    return result


def growing_pauses(
    first: float, growth: float, longest: float, clock: Callable[[], float] = time.monotonic
) -> Iterator[float]:
    """Yield the seconds to wait before each next check: `first`, then each `growth` times as long, up to `longest`.

    After a slow check, the pause is twice as long as that check, up to LONGEST_AFTER_SLOW_CHECK: many checks at once
    must not keep a busy host busy. Ask for the next pause right after each check.
    """
    pause, asked_at = first, clock()
    yield (waited := pause)
    while True:
        check_took = clock() - asked_at - waited
        pause, asked_at = min(growth * pause, longest), clock()
        yield (waited := max(pause, min(2 * check_took, LONGEST_AFTER_SLOW_CHECK)))
