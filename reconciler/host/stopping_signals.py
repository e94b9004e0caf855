"""Delays SIGHUP, SIGINT and SIGTERM while work is done that they must not interrupt."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# The signals that ask Canon to stop. Their handlers raise an exception wherever the main thread is.
STOPPING = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)


@contextmanager
def blocked_signals() -> Iterator[None]:
    """Block SIGHUP, SIGINT and SIGTERM for this thread during the `with` block.

    Processes that are started meanwhile inherit this. To start one, use `held_signals`.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    try:
        # Python runs the handler of a signal that came just before within this call, so it may raise.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def held_signals() -> Iterator[None]:
    """Hold SIGHUP, SIGINT and SIGTERM back during the `with` block, and let them take effect at its end.

    A program that is started in the `with` block gets these signals neither blocked nor ignored. In another thread than
    the main one this does nothing, because only the main thread runs handlers of signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    with blocked_signals():
        before = {number: signal.signal(number, lambda number, _: came.append(number)) for number in STOPPING}
        try:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
            for number, handler in before.items():
                signal.signal(number, handler)
            for each in came:
                signal.raise_signal(each)


def start_thread(thread: threading.Thread) -> None:
    """Start `thread`, with SIGHUP, SIGINT and SIGTERM blocked in it.

    Otherwise the kernel could give such a signal to `thread` while the main thread blocks it. Python would then run the
    signal's handler in the main thread, in the middle of work that must not be interrupted.
    """
    with blocked_signals():
        thread.start()
