"""Polls until something has happened or time is up."""

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

# A check that hung says nothing about how long the next one takes.
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

    Each pause is at least twice as long as the last check took, up to LONGEST_AFTER_SLOW_CHECK: on a busy host many
    who wait would otherwise keep it busy. Ask for the next pause right after each check.
    """
    pause, asked_at = first, clock()
    yield (waited := pause)
    while True:
        check_took = clock() - asked_at - waited
        pause, asked_at = min(growth * pause, longest), clock()
        yield (waited := max(pause, min(2 * check_took, LONGEST_AFTER_SLOW_CHECK)))
