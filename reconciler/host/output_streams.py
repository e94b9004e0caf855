"""Reads the pipes of one command until it ends, times out, or writes too much."""

import os
import select
import threading
import time
from enum import Enum
from types import TracebackType
from typing import Self

from reconciler.host.output import OutputSink

_TICK = 0.2
_CHUNK = 65536


class StreamEnd(Enum):
    """Why reading ended. TIMED_OUT: the deadline passed, or a stop was requested. TOO_MUCH: a sink was full."""

    ENDED = "ended"
    TIMED_OUT = "timed out"
    TOO_MUCH = "too much"


class Streams:
    """A pipe from the child to each sink. The attributes `out` and `err` are the descriptors that the child writes to.

    Both are the same descriptor if there is no sink for stderr.
    """

    def __init__(self, out: OutputSink, err: OutputSink | None) -> None:
        self._sinks: dict[int, OutputSink] = {}
        self.out = self._pipe(out)
        self.err = self._pipe(err) if err else self.out

    def _pipe(self, sink: OutputSink) -> int:
        read, write = os.pipe()
        os.set_blocking(read, False)
        self._sinks[read] = sink
        return write

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.started()
        for read in self._sinks:
            os.close(read)

    def started(self) -> None:
        """Close this process's copies of the child's ends, so that the pipes end with the child."""
        for write in {self.out, self.err} - {-1}:
            os.close(write)
        self.out = self.err = -1

    def pump(self, handle: int, deadline: float, stop: threading.Event | None) -> StreamEnd:
        """Feed the sinks until the process of the pidfd `handle` ends, a sink is full, or time is up. Returns which.

        Time is up after `deadline` seconds, or when `stop` is set.
        """
        poller = select.poll()
        poller.register(handle, select.POLLIN)
        for read in self._sinks:
            poller.register(read, select.POLLIN)
        until = time.monotonic() + deadline
        while (left := until - time.monotonic()) > 0 and not (stop and stop.is_set()):
            for ready, _ in poller.poll(1000 * (min(left, _TICK) if stop else left)):
                if ready == handle:
                    return StreamEnd.ENDED
                more = self._read(ready)
                if more is None:
                    poller.unregister(ready)
                elif not more:
                    return StreamEnd.TOO_MUCH
        return StreamEnd.TIMED_OUT

    def drain(self) -> None:
        """Read what is in the pipes now, without waiting for processes that still have them open."""
        for read in self._sinks:
            while self._read(read):
                pass

    def _read(self, read: int) -> bool | None:
        """Read one chunk and feed it to its sink. False if the sink wants no more, None if nothing is there to read."""
        try:
            chunk = os.read(read, _CHUNK)
        except BlockingIOError:
            return None
        return self._sinks[read].feed(chunk) if chunk else None
