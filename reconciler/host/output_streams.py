"""Reads the output of one command from pipes, until the command ends, times out, or writes too much."""

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
    """Why Canon stopped reading the output of a command.

    ENDED: the command ended. TIMED_OUT: its deadline passed, or Canon was asked to stop it. TOO_MUCH: a sink was full.
    """

    ENDED = "ended"
    TIMED_OUT = "timed out"
    TOO_MUCH = "too much"


class Streams:
    """The pipes from one command to the sinks that receive its stdout and stderr.

    The attributes `out` and `err` are the descriptors to which the command writes. They are the same descriptor if
    there is no sink for stderr.
    """

    def __init__(self, out: OutputSink, err: OutputSink | None) -> None:
        self._sinks: dict[int, OutputSink] = {}
        self.out = self._pipe(out)
        self.err = self._pipe(err) if err else self.out

    def _pipe(self, sink: OutputSink) -> int:
        """Make a pipe whose output goes to `sink`. Return the descriptor to which the command writes."""
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
        """Close Canon's own copies of the descriptors `out` and `err`. Call this once the child has started.

        As long as Canon has the copies open, no pipe ends when the child ends.
        """
        for write in {self.out, self.err} - {-1}:
            os.close(write)
        self.out = self.err = -1

    def pump(self, handle: int, deadline: float, stop: threading.Event | None) -> StreamEnd:
        """Feed the sinks until the command ends, a sink is full, or time is up. Return which of these happened.

        `handle` is a descriptor that becomes readable when the command ends (a pidfd). Time is up after `deadline`
        seconds, or when the event `stop` is set.
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
        """Feed the sinks with what is in the pipes now. Does not wait for processes that still have the pipes open."""
        for read in self._sinks:
            while self._read(read):
                pass

    def _read(self, read: int) -> bool | None:
        """Read a chunk from the pipe `read` and feed it to the sink of that pipe.

        Return whether the sink takes more; None if there is nothing to read now, or the pipe has ended.
        """
        try:
            chunk = os.read(read, _CHUNK)
        except BlockingIOError:
            return None
        return self._sinks[read].feed(chunk) if chunk else None
