"""Follows the engine's events, so that a wait looks again as soon as something happens, and rarely otherwise."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from attrs import define, field

from reconciler.errors import CanonError
from reconciler.host.readiness.polling import growing_pauses
from reconciler.host.stopping_signals import start_thread
from reconciler.host.swarm.engine.connection import QUERY_SECONDS, ApiCall, Connection, Json, filter_text

if TYPE_CHECKING:
    import requests

# Swarm notes the state of a task shortly after the event of its container. In seconds.
_SETTLING = 0.05
_FIRST_PAUSE = 0.05
_GROWTH = 2.0
# The slow look: events of other nodes do not reach us, and a stream can be lost.
_LONGEST_PAUSE = 2.0
_TYPES = ("type=container", "type=service")
# Without those of health probes, which run a program in each container every few seconds.
_ACTIONS = ("create", "start", "health_status", "die", "oom", "kill", "stop", "destroy", "update", "remove")
_ENDS = ("die", "oom")
READER = "Docker's events"
# In seconds. The reader ends at once when its connection is hung up.
_READER_ENDS = 5.0


def event_attributes(event: Json) -> Mapping[str, str]:
    """Return the attributes of the object that an event is about: its name and, for a container, its labels."""
    found: Mapping[str, str] = (event.get("Actor") or {}).get("Attributes") or {}
    return found


@define(eq=False)
class EventStream:
    """Those events of the engine that the caller wants, as they come.

    * `concerns`: gets the JSON of an event, and returns whether the caller wants it.
    * `is_live`: False if the stream could not be opened, or was lost. Then the caller has to look from time to time.
    * `ends`: the "die" and "oom" events so far.
    """

    concerns: Callable[[Json], bool]
    is_live: bool = False
    ends: list[Json] = field(factory=list)
    _news: threading.Event = field(factory=threading.Event)
    _heard: bool = False

    def wait(self, seconds: float) -> bool:
        """Wait until an event comes or the stream is lost, but at most `seconds`.

        Return whether one of these happened.
        """
        until = time.monotonic() + seconds
        self._heard = self._news.wait(seconds)
        self._news.clear()
        if self._heard:
            time.sleep(max(0.0, min(_SETTLING, until - time.monotonic())))
        return self._heard

    def pauses(self) -> Iterator[float]:
        """Yield how many seconds to wait at most before the caller looks again, without end.

        The pauses grow up to a limit. After an event, they begin short again.
        """
        return growing_pauses(_FIRST_PAUSE, _GROWTH, _LONGEST_PAUSE, restarts=lambda: self._heard)

    def read(self, lines: Iterator[bytes]) -> None:
        """Read events from `lines`, one on each line, until the stream ends.

        An event for which `concerns` returns True lets `wait` return. An error ends the stream too, and is not raised.
        Afterwards `is_live` is False.
        """
        with suppress(CanonError, ValueError, AttributeError):
            for line in lines:
                event = json.loads(line)
                if self.concerns(event):
                    self.ends += [event] if event.get("Action") in _ENDS else []
                    self._news.set()
        self.is_live = False
        self._news.set()


@contextmanager
def follow_events(
    connection: Connection, concerns: Callable[[Json], bool], since: datetime, seconds: float
) -> Iterator[EventStream]:
    """Yield a stream of the engine's events since the time `since`. The stream ends at most `seconds` from now.

    `concerns` gets the JSON of an event, and returns whether the event is part of the stream. The stream is closed at
    the end of the `with` block. If the engine does not open it, raise no error: the stream is then not live.
    """
    stream, call = EventStream(concerns), _call(since, seconds)
    try:
        response = connection.call(call)
    except CanonError:
        yield stream
        return
    stream.is_live = True
    lines = _lines(connection.chunks(call, response))
    reader = threading.Thread(target=stream.read, args=(lines,), name=READER, daemon=True)
    start_thread(reader)
    try:
        yield stream
    finally:
        _hang_up(response)
        reader.join(_READER_ENDS)


def _call(since: datetime, seconds: float) -> ApiCall:
    filters = (*_TYPES, *(f"event={action}" for action in _ACTIONS))
    until = datetime.now(UTC).timestamp() + seconds
    params = {"since": f"{since.timestamp():.6f}", "until": f"{until:.6f}", "filters": filter_text(filters)}
    # The engine ends the stream at `until`, and may be silent before.
    return ApiCall("GET", "/events", "docker events", params=params, stream=True, seconds=seconds + QUERY_SECONDS)


def _lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the complete lines in `chunks`, without line ends. Empty lines and an incomplete last one are left out."""
    pending = b""
    for chunk in chunks:
        *lines, pending = (pending + chunk).split(b"\n")
        yield from filter(None, lines)


def _hang_up(response: "requests.Response") -> None:
    """End the connection of a response, so that a thread that reads from it stops at once.

    If that fails, raise no error: the thread then reads on until the engine ends the stream.

    Closing the response instead would wait for that thread. Over ssh, only the channel of this response is ended.
    """
    with suppress(OSError, AttributeError):
        reading = response.raw._fp.fp  # noqa: SLF001  neither urllib3 nor http.client names the socket otherwise
        over_ssh = getattr(reading, "channel", None)
        if over_ssh is not None:
            over_ssh.close()
        else:
            reading.raw._sock.shutdown(socket.SHUT_RDWR)  # noqa: SLF001
