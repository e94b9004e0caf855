"""Polling and its pauses, by a clock that only the test moves."""

from itertools import pairwise, repeat

from hypothesis import given
from hypothesis import strategies as st

from reconciler.host.readiness.polling import LONGEST_AFTER_SLOW_CHECK, growing_pauses, poll

SECONDS = st.floats(0, 100, allow_nan=False)


class SteppedClock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def waited(looks: list[float], first: float = 0.5, growth: float = 1.5, longest: float = 2.0) -> list[float]:
    """Return the pauses after checks that took these seconds."""
    clock, found = SteppedClock(), list[float]()
    growing = growing_pauses(first, growth, longest, clock)
    for took in looks:
        clock.seconds += took
        pause = next(growing)
        clock.seconds += pause
        found.append(pause)
    return found


def test_pauses_grow_up_to_the_longest_if_checks_take_no_time() -> None:
    assert waited([0.0] * 6) == [0.5, 0.75, 1.125, 1.6875, 2.0, 2.0]


def test_a_pause_is_twice_as_long_as_the_check_before_it() -> None:
    assert waited([0.0, 0.0, 4.0, 0.0]) == [0.5, 0.75, 8.0, 1.6875]


@given(st.lists(SECONDS, min_size=2, max_size=20))
def test_checks_take_at_most_a_third_of_the_time_but_for_the_first_and_one_that_hangs(looks: list[float]) -> None:
    for took, pause in list(zip(looks, waited(looks), strict=True))[1:]:
        assert pause >= min(2 * took, LONGEST_AFTER_SLOW_CHECK) - 1e-6


@given(SECONDS, st.floats(1, 3), SECONDS)
def test_pauses_never_shrink_if_checks_take_no_time(first: float, growth: float, more: float) -> None:
    found = waited([0.0] * 20, first, growth, first + more)
    assert all(before <= after + 1e-6 for before, after in pairwise(found))


def polled(results: list[int], seconds: float, pause: float = 2.0) -> tuple[int, list[float]]:
    """Poll for a 0 with checks that take no time. Return the result and the pauses."""
    clock, found = SteppedClock(), list[float]()

    def sleep(seconds: float) -> None:
        found.append(seconds)
        clock.seconds += seconds

    left = iter(results)
    result = poll(lambda: next(left), lambda result: result == 0, seconds, repeat(pause), clock=clock, sleep=sleep)
    return result, found


def test_polling_ends_with_the_first_result_that_is_accepted() -> None:
    assert polled([3, 2, 0, 1], 60.0) == (0, [2.0, 2.0])


def test_polling_ends_with_the_last_result_when_time_is_up_and_checks_once_more_then() -> None:
    assert polled([4, 3, 2, 1], 5.0) == (1, [2.0, 2.0, 1.0])


def test_polling_for_no_time_checks_once() -> None:
    assert polled([5], 0.0) == (5, [])
