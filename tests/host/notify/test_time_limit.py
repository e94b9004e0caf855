"""The thread in which messages are sent."""

import signal

import pytest

from reconciler.errors import InfrastructureError
from reconciler.host.notify.time_limit import in_time
from tests.host.blocked_signals_of_threads import STOPPING


def test_no_signal_that_the_main_thread_has_blocked_comes_through_the_thread_that_sends() -> None:
    blocked = set[signal.Signals | int]()

    def look() -> str:
        blocked.update(signal.pthread_sigmask(signal.SIG_BLOCK, ()))
        return "looked"

    assert in_time(look) == "looked"
    assert (blocked & STOPPING, signal.pthread_sigmask(signal.SIG_BLOCK, ()) & STOPPING) == (STOPPING, set())


def test_a_bug_of_a_library_is_an_error_like_any_other() -> None:
    def broken() -> str:
        raise ZeroDivisionError("by zero")

    with pytest.raises(InfrastructureError, match="ZeroDivisionError: by zero"):
        in_time(broken)
