"""The thread that watches how an app starts."""

import threading

from reconciler.host.start_watch import WATCHER, watch_start
from tests.host.blocked_signals_of_threads import STOPPING, blocked_in


def test_no_signal_that_the_main_thread_has_blocked_comes_through_the_thread_that_watches_a_start() -> None:
    name = threading.current_thread().name
    with watch_start(lambda: False, lambda: None, None):
        assert (blocked_in(WATCHER), blocked_in(name)) == (STOPPING, set())
