"""Reads the output of one command from pipes, until the command ends, takes too long or writes too much."""

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

    * ENDED: the command ended.
    * TIMED_OUT: the command took too long, or was to be stopped.
    * TOO_MUCH: the command wrote more than a sink takes.
    """

    ENDED = "ended"
    TIMED_OUT = "timed out"
    TOO_MUCH = "too much"


class Streams:
    """The pipes from one command to the sinks that get its stdout and stderr.

    The attributes `out` and `err` are the descriptors to which the command writes. If no sink for stderr is given, both
    are the same, and the sink for stdout gets stderr too.
    """

    def __init__(self, out: OutputSink, err: OutputSink | None) -> None:
        self._sinks: dict[int, OutputSink] = {}
        self.out = self._pipe(out)
        self.err = self._pipe(err) if err else self.out

    def _pipe(self, sink: OutputSink) -> int:
        """Make a pipe from which `sink` is fed. Return the descriptor to which the command writes."""
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

        While Canon has these copies open, the pipes do not end when the child ends.
        """
        for write in {self.out, self.err} - {-1}:
            os.close(write)
        self.out = self.err = -1

    def pump(self, handle: int, deadline: float, stop: threading.Event | None) -> StreamEnd:
        """Feed the sinks until the command ends, a sink is full, or time is up. Return which of these came first.

        `handle` is a descriptor that can be read once the command has ended (a pidfd). Time is up after `deadline`
        seconds, or when the event `stop` is set. If `stop` is None, only the deadline counts.
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
        """Feed the sinks what is in the pipes now. Do not wait for processes that still have the pipes open."""
        for read in self._sinks:
            while self._read(read):
                pass

    def _read(self, read: int) -> bool | None:
        """Read a piece from the pipe `read`, and feed it to the pipe's sink.

        Return True if the sink takes more, False if it is full. Return None if there was no piece to read: the pipe is
        empty now, or has ended.
        """
        try:
            chunk = os.read(read, _CHUNK)
        except BlockingIOError:
            return None
        return self._sinks[read].feed(chunk) if chunk else None
