"""Probes an app once over TCP or HTTP. A probe returns None if the app answers as declared; if not, the reason."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead, RemoteDisconnected
from typing import Any

from desired.unprintable import escape_unprintable
from reconciler.host.readiness.not_yet import NotYet
from reconciler.host.stopping_signals import start_thread
from reconciler.host.text import one_line
from reconciler.ports.app import RunningApp

CUTTER = "probe-limit"
"""The name of the thread that ends a probe by its time limit."""

# In seconds. The app counts as ready only if a connection stays open for so long.
_STAYS = 0.5
_BODY = 64 * 1024
# The first bytes of every HTTP/1 response, and of a TLS alert.
_HTTP, _TLS = b"HTTP/", b"\x15\x03"
_SHOWN = 40
# In seconds, see `NotYet.final_after`: for an app that sends something else than HTTP, and for one that only closes
# connections. A starting app may close connections for a while, but it does not change its protocol.
_SENT, _CLOSED = 5.0, 15.0


class _NoHttpError(Exception):
    """The app sent something that is not HTTP. `sent` has the first bytes of what it sent."""

    def __init__(self, sent: bytes) -> None:
        super().__init__()
        self.sent = sent


def connect(address: str, limit: float) -> NotYet | None:
    """Connect to `address`, "HOST:PORT", within `limit` seconds. Return None if the connection stays open.

    If it does not, return why the app is not ready. An app is not ready if it only accepts the connection: Docker's
    proxy accepts a connection even if no app listens, and then closes it.
    """
    try:
        with _connection(address, limit) as connection:
            return None if _stays(connection) else NotYet(f"{address} ends a connection at once")
    except OSError as failure:
        return NotYet(f"{address} takes no connection: {failure}")


def _connection(address: str, limit: float) -> socket.socket:
    """Open a TCP connection to `address`, with a timeout of `limit` seconds. Raise OSError if that fails."""
    host, _, port = address.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=limit)


def _stays(connection: socket.socket) -> bool:
    """Return whether the app keeps a new connection open for half a second, or sends something on it."""
    connection.settimeout(_STAYS)
    try:
        return bool(connection.recv(1))
    except TimeoutError:
        return True
    except OSError:
        return False


def get(app: RunningApp, path: str, wanted: tuple[int, ...], limit: float) -> NotYet | None:
    """Send one GET request for `path`. Return None if the status code is in `wanted`.

    If it is not, or no answer comes, return why the app is not ready. The request may take `limit` seconds. Redirects
    are not followed. The connection goes to the app's address. The Host header has the host of the app's URL, by which
    a proxy at that address chooses the app.
    """
    request = f"GET {escape_unprintable(path)}"
    connection = HTTPConnection(app.address, timeout=limit)
    connection.response_class = _Response
    with closing(connection):
        try:
            connection.connect()
            with _time_limit(connection.sock, limit) as cut:
                status, body = _answer(connection, path, app.url.partition("://")[2])
        except _NoHttpError as foreign:
            return NotYet(f"{request}: {app.address} answers {_shown(foreign.sent)}", _SENT)
        except (RemoteDisconnected, ConnectionResetError) as failure:
            return _why_closed(f"{request}: {escape_unprintable(str(failure))}", app.address, limit)
        except (OSError, HTTPException, ValueError) as failure:
            return NotYet(f"{request}: {escape_unprintable(str(failure)) or type(failure).__name__}")
    if cut.is_set():
        return NotYet(f"{request}: no whole answer within {limit:.3g} s")
    return None if status in wanted else _why_refused(f"{request} is answered with {status}", status, body, wanted)


def _why_refused(text: str, status: int, body: bytes, wanted: tuple[int, ...]) -> NotYet:
    """Return why an app is not ready, by its answer: it wants HTTPS, or its status code `status` is not in `wanted`.

    `text` begins the reason. `body` is the body of the answer. A server that speaks only TLS often answers plain HTTP
    with 400, and names HTTPS in the body.
    """
    wants_tls = status == HTTPStatus.BAD_REQUEST and b"HTTPS" in body
    return NotYet(f"{text}, since it wants HTTPS", _SENT) if wants_tls else NotYet(f"{text}, not {_listed(wanted)}")


def _why_closed(message: str, address: str, limit: float) -> NotYet:
    """Return a NotYet for an app at `address` that closed a connection without a response.

    Its reason is `message`, followed by what a second connection shows: for example that the app speaks another
    protocol than HTTP. Nothing is sent on the second connection, because such an app may speak first. `limit` is how
    many seconds connecting may take.
    """
    try:
        connection = _connection(address, limit)
    except TimeoutError:
        return NotYet(f"{message}; it takes no other connection within {limit:.3g} s")
    except OSError:
        return NotYet(message)
    try:
        with connection:
            connection.settimeout(_STAYS)
            sent = connection.recv(_SHOWN)
    except TimeoutError:
        return NotYet(f"{message}, though it takes connections", _CLOSED)
    except OSError:
        return NotYet(message)
    return NotYet(f"{message}: {address} says {_shown(sent)}", _SENT) if sent else NotYet(message)


def _shown(sent: bytes) -> str:
    """Return what an app sent as a text for a message, such as "“SSH-2.0”, which is no HTTP". `sent` is no HTTP."""
    text = "in TLS" if sent.startswith(_TLS) else f"“{one_line(sent, _SHOWN)}”"
    return f"{text}, which is no HTTP"


def _answer(connection: HTTPConnection, path: str, name: str) -> tuple[int, bytes]:
    """Request `path` with `name` as the Host header. Return the status code, and at most 64 KiB of the body.

    Raise IncompleteRead if the body breaks off, _NoHttpError if the response is not HTTP, and OSError or HTTPException
    for other faults.
    """
    connection.request("GET", path, headers={"Host": name})
    start = connection.sock.recv(len(_HTTP), socket.MSG_PEEK)
    if not _HTTP.startswith(start):
        raise _NoHttpError(_read_more(connection.sock))
    response = connection.getresponse()
    body = response.read(_BODY)
    if response.length and len(body) < _BODY:
        raise IncompleteRead(body, response.length)
    return response.status, body


def _read_more(connection: socket.socket) -> bytes:
    """Return the next bytes that the app sends, at most 79.

    Stop reading once there are 40 (_SHOWN), if the app sends nothing for half a second, or if the connection ends.
    """
    connection.settimeout(_STAYS)
    sent = b""
    with suppress(OSError):
        while len(sent) < _SHOWN and (more := connection.recv(_SHOWN)):
            sent += more
    return sent


class _Response(HTTPResponse):
    """A response to an HTTP request. Reading a header line without a line end raises HTTPException."""

    def __init__(self, *args: Any, **named: Any) -> None:  # noqa: ANN401 - whatever http.client hands over
        super().__init__(*args, **named)
        self.fp = _Lines(self.fp)  # type: ignore[assignment]  # it has all that http.client uses


class _Lines:
    """Wraps the file from which http.client reads a response. A line without a line end raises HTTPException.

    http.client alone would accept such a line, though the response has broken off.
    """

    def __init__(self, sent: Any) -> None:  # noqa: ANN401 - a file; see __getattr__
        self._sent = sent

    def readline(self, limit: int) -> bytes:
        line: bytes = self._sent.readline(limit)
        if not line.endswith(b"\n") and len(line) < limit:
            raise HTTPException("the answer broke off")
        return line

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._sent, name)


@contextmanager
def _time_limit(connection: socket.socket, limit: float) -> Iterator[threading.Event]:
    """Shut down the connection after `limit` seconds, unless the `with` block has ended before.

    Yield an event that is set when the connection is shut down. The timeout of the socket is not enough: it begins
    again with every byte.
    """
    cut = threading.Event()
    timer = threading.Timer(limit, _cut, (connection, cut))
    timer.daemon = True
    timer.name = CUTTER
    start_thread(timer)
    try:
        yield cut
    finally:
        timer.cancel()


def _cut(connection: socket.socket, cut: threading.Event) -> None:
    """Set the event `cut`, and shut down the connection."""
    cut.set()
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _listed(wanted: tuple[int, ...]) -> str:
    return " or ".join(map(str, wanted))
