"""Delays SIGHUP, SIGINT and SIGTERM while work is done that they must not interrupt."""

import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import TypeAlias

# The signals that ask Canon to stop. Their handlers raise an exception wherever the main thread is.
STOPPING = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)

_Handler: TypeAlias = Callable[[int, FrameType | None], object] | int | None


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

    A program that is started in the `with` block gets these signals, and SIGQUIT, neither blocked nor ignored: a shell
    ignores some of them for what it runs in the background. In another thread than the main one this does nothing,
    because only the main thread runs handlers of signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    with blocked_signals():
        before = {number: signal.getsignal(number) for number in (*STOPPING, signal.SIGQUIT)}
        try:
            _set_handlers(dict.fromkeys(before, lambda number, _: came.append(number)))
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
            try:
                _set_handlers(before)
            finally:
                for each in came:
                    signal.raise_signal(each)


def _set_handlers(handlers: Mapping[signal.Signals, _Handler]) -> None:
    """Set all these handlers of signals. If one of them raises an error meanwhile, raise it once all are set.

    That can happen although this thread blocks the signals: the kernel gives them to another thread that does not, and
    Python runs the handler here.
    """
    left, error = dict(handlers), None
    while left:
        try:
            for number in tuple(left):
                signal.signal(number, left[number])
                del left[number]
        except BaseException as raised:  # noqa: BLE001  raised again below
            error = raised
    if error is not None:
        raise error


def start_thread(thread: threading.Thread) -> None:
    """Start `thread`, with SIGHUP, SIGINT and SIGTERM blocked in it.

    Otherwise the kernel could give such a signal to `thread` while the main thread blocks it. Python would then run the
    signal's handler in the main thread, in the middle of work that must not be interrupted.
    """
    with blocked_signals():
        thread.start()
