"""Repeats a check until its result is the wanted one, or time is up."""

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

# In seconds. One check that took very long must not cause a pause of minutes.
LONGEST_AFTER_SLOW_CHECK = 10.0

T = TypeVar("T")


def poll(  # noqa: PLR0913 - tests replace clock and sleep
    check: Callable[[], T],
    is_done: Callable[[T], bool],
    seconds: float,
    pauses: Iterator[float],
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> T:
    """Call `check` until `is_done` returns True for its result, or `seconds` are over. Return the last result.

    `check` is called at least once. `pauses` yields how many seconds to wait after each check. `clock` returns the time
    in seconds. `sleep` waits for the number of seconds that it is given.
    """
    until = clock() + seconds
    while not is_done(result := check()) and (left := until - clock()) > 0:
        sleep(min(next(pauses), left))
    return result


def growing_pauses(
    first: float,
    growth: float,
    longest: float,
    clock: Callable[[], float] = time.monotonic,
    restarts: Callable[[], bool] = lambda: False,
) -> Iterator[float]:
    """Yield how many seconds to wait before each further check, for example 1, 2, 4, 5, 5 and so on.

    The example is for `first` 1, `growth` 2 and `longest` 5: each pause is `growth` times the one before, but no longer
    than `longest`.

    * `restarts`: is called before each pause but the first. If it returns True, this pause is `first` again, and the
      pauses grow from there.
    * `clock`: returns the time in seconds.

    After a slow check, the pause is longer, to spare a busy host: at least twice the time that the check took, or 10
    seconds (LONGEST_AFTER_SLOW_CHECK) if that is shorter. So that this time can be measured, the caller must wait for
    the whole pause, then check once, and take the next pause at once.
    """
    pause, asked_at = first, clock()
    yield (waited := pause)
    while True:
        check_took = clock() - asked_at - waited
        pause, asked_at = first if restarts() else min(growth * pause, longest), clock()
        yield (waited := max(pause, min(2 * check_took, LONGEST_AFTER_SLOW_CHECK)))
