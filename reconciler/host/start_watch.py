"""Watches from a thread how an app starts, and kills it at a moment of its start. For all drivers."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from attrs import define, field

from reconciler.errors import CanonError, InfrastructureError
from reconciler.host.stopping_signals import start_thread
from reconciler.ports.app import StartTimes

WATCHER: Final = "start of an app"
"""The name of the thread that watches."""

# In seconds: between two looks.
_PAUSE = 0.01


@contextmanager
def watch_start(runs: Callable[[], bool], kill: Callable[[], object], kill_after: float | None) -> Iterator[StartTimes]:
    """Watch how an app starts while the `with` block deploys it. Yield the times of its start.

    A time is None until it is known.
    * `runs`: returns whether a process of the app runs. It is called from another thread.
    * `kill`: kills all processes of the app. It is called from another thread.
    * `kill_after`: how many seconds after its first process the app is killed; None to let it live.

    Raise InfrastructureError at the end of the block if the start could not be watched.
    """
    watch = _Watch(runs, kill, kill_after)
    thread = threading.Thread(target=watch.follow, name=WATCHER, daemon=True)
    start_thread(thread)
    try:
        yield watch.seen
    finally:
        watch.ended.set()
        thread.join()
    if watch.failure is not None:
        raise InfrastructureError(f"the start could not be watched: {watch.failure}") from watch.failure


@define
class _Watch:
    runs: Callable[[], bool]
    kill: Callable[[], object]
    kill_after: float | None
    seen: StartTimes = field(factory=StartTimes)
    ended: threading.Event = field(factory=threading.Event)
    failure: Exception | None = None

    def follow(self) -> None:
        """Look at the app again and again until `ended` is set, or an error comes. Keep the error in `failure`."""
        try:
            while not self.ended.wait(_PAUSE):
                self._look()
        except (CanonError, OSError) as failed:
            self.failure = failed

    def _look(self) -> None:
        """Look once at the app, and do what its state asks for.

        * The app was not seen running so far: if it runs now, record the time in `seen.began`.
        * The app was first seen running at least `kill_after` seconds ago, and `kill_after` is not None: record the
          time in `seen.killed`, and kill the app.
        * The app was killed already: if a process of it runs again, kill that process too.
        """
        seen = self.seen
        if seen.killed is not None:
            if self.runs():
                self.kill()
        elif seen.began is None:
            seen.began = time.monotonic() if self.runs() else None
        elif self.kill_after is not None and time.monotonic() >= seen.began + self.kill_after:
            # Noted first: whoever waits for the app may see at once that it has gone.
            seen.killed = time.monotonic()
            self.kill()
