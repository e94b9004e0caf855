"""Probes an app once. Each probe returns None if the app answers as declared."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead, RemoteDisconnected
from typing import Any

from desired.unprintable import escape_unprintable
from reconciler.host.readiness.not_yet import NotYet
from reconciler.host.text import one_line
from reconciler.ports.app import RunningApp

# For how many seconds a connection has to stay open before the app counts as ready.
_STAYS = 0.5
_BODY = 64 * 1024
# How every answer in HTTP/1 begins, and a TLS alert.
_HTTP, _TLS = b"HTTP/", b"\x15\x03"
_SHOWN = 40
# After how many seconds such answers are final (`NotYet.final_after`): bytes that are no HTTP, and closed connections.
# A starting app may close connections for a while, but the protocol that it speaks does not change.
_SENT, _CLOSED = 5.0, 15.0


class _NoHttpError(Exception):
    """The app sent something that is no HTTP. `sent` are its first bytes."""

    def __init__(self, sent: bytes) -> None:
        super().__init__()
        self.sent = sent


def connect(address: str, limit: float) -> NotYet | None:
    """Connect once. Return None if the connection stays open, else why the app is not ready.

    Docker's proxy accepts a connection even if no app listens, but then closes it.
    """
    try:
        with _connection(address, limit) as connection:
            return None if _stays(connection) else NotYet(f"{address} ends a connection at once")
    except OSError as failure:
        return NotYet(f"{address} takes no connection: {failure}")


def _connection(address: str, limit: float) -> socket.socket:
    host, _, port = address.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=limit)


def _stays(connection: socket.socket) -> bool:
    connection.settimeout(_STAYS)
    try:
        return bool(connection.recv(1))
    except TimeoutError:
        return True
    except OSError:
        return False


def get(app: RunningApp, path: str, wanted: tuple[int, ...], limit: float) -> NotYet | None:
    """Request `path` once, for at most `limit` seconds. Return None if the status is in `wanted`, else what is wrong.

    A redirect is an answer, and is not followed. The request is sent to the app's address, with the host of its URL: a
    proxy at the address routes by that host.
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
    """Return why the status is not accepted. A server that speaks only TLS often says so in plain HTTP."""
    wants_tls = status == HTTPStatus.BAD_REQUEST and b"HTTPS" in body
    return NotYet(f"{text}, since it wants HTTPS", _SENT) if wants_tls else NotYet(f"{text}, not {_listed(wanted)}")


def _why_closed(message: str, address: str, limit: float) -> NotYet:
    """Return why an app that closed the connection is not ready. To find out, connects again and sends nothing."""
    try:
        with _connection(address, limit) as connection:
            connection.settimeout(_STAYS)
            sent = connection.recv(_SHOWN)
    except TimeoutError:
        return NotYet(f"{message}, though it takes connections", _CLOSED)
    except OSError:
        return NotYet(message)
    return NotYet(f"{message}: {address} says {_shown(sent)}", _SENT) if sent else NotYet(message)


def _shown(sent: bytes) -> str:
    text = "in TLS" if sent.startswith(_TLS) else f"“{one_line(sent, _SHOWN)}”"
    return f"{text}, which is no HTTP"


def _answer(connection: HTTPConnection, path: str, name: str) -> tuple[int, bytes]:
    """Request `path` with `name` as the Host header. Return the status and the body, of a large body only the start.

    Raises IncompleteRead for a cut body, _NoHttpError if the answer is no HTTP.
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
    """Return the next bytes of an answer, for an error message. Stops when no more come within half a second."""
    connection.settimeout(_STAYS)
    sent = b""
    with suppress(OSError):
        while len(sent) < _SHOWN and (more := connection.recv(_SHOWN)):
            sent += more
    return sent


class _Response(HTTPResponse):
    def __init__(self, *given: Any, **named: Any) -> None:  # noqa: ANN401 - whatever http.client hands over
        super().__init__(*given, **named)
        self.fp = _Lines(self.fp)  # type: ignore[assignment]  # it has all that http.client uses


class _Lines:
    """The file from which http.client reads. Raises HTTPException for an incomplete line, which http.client accepts."""

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
    """Shut the connection down if the block takes longer than `limit` seconds. Yields an event that is then set.

    The timeout of the socket is not enough: it starts again with every byte.
    """
    cut = threading.Event()
    timer = threading.Timer(limit, _cut, (connection, cut))
    timer.daemon = True
    timer.start()
    try:
        yield cut
    finally:
        timer.cancel()


def _cut(connection: socket.socket, cut: threading.Event) -> None:
    cut.set()
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _listed(wanted: tuple[int, ...]) -> str:
    return " or ".join(map(str, wanted))
