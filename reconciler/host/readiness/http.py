"""Asks an app once whether it answers as declared: None means that it does."""

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

# How long a connection has to stay to count.
_STAYS = 0.5
_BODY = 64 * 1024
# What every answer in HTTP/1 begins with, and a record of TLS that tells of an error.
_HTTP, _TLS = b"HTTP/", b"\x15\x03"
_SHOWN = 40
# An app that starts may close connections for a while, but what it sends it also sends later.
_SENT, _CLOSED = 5.0, 15.0


class _NoHttpError(Exception):
    """What was sent is no answer in HTTP: `sent` is how it begins."""

    def __init__(self, sent: bytes) -> None:
        super().__init__()
        self.sent = sent


def connect(address: str, limit: float) -> NotYet | None:
    """Docker's proxy takes any connection for a container, and ends it at once where the app does not listen."""
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


def get(seen: RunningApp, path: str, wanted: tuple[int, ...], limit: float) -> NotYet | None:
    """Ask for `path` once, for at most `limit` seconds; an answer that leads elsewhere is one, and is not followed.

    The name in the URL goes along: a proxy at the address routes by it.
    """
    asked = f"GET {escape_unprintable(path)}"
    connection = HTTPConnection(seen.address, timeout=limit)
    connection.response_class = _Response
    with closing(connection):
        try:
            connection.connect()
            with _cut_off(connection.sock, limit) as cut:
                status, body = _answer(connection, path, seen.url.partition("://")[2])
        except _NoHttpError as foreign:
            return NotYet(f"{asked}: {seen.address} answers {_shown(foreign.sent)}", _SENT)
        except (RemoteDisconnected, ConnectionResetError) as failure:
            return _hung_up(f"{asked}: {escape_unprintable(str(failure))}", seen.address, limit)
        except (OSError, HTTPException, ValueError) as failure:
            return NotYet(f"{asked}: {escape_unprintable(str(failure)) or type(failure).__name__}")
    if cut.is_set():
        return NotYet(f"{asked}: no whole answer within {limit:.3g} s")
    return None if status in wanted else _refused(f"{asked} is answered with {status}", status, body, wanted)


def _refused(said: str, status: int, body: bytes, wanted: tuple[int, ...]) -> NotYet:
    """A server that speaks TLS alone often says so in plain HTTP."""
    wants_tls = status == HTTPStatus.BAD_REQUEST and b"HTTPS" in body
    return NotYet(f"{said}, since it wants HTTPS", _SENT) if wants_tls else NotYet(f"{said}, not {_listed(wanted)}")


def _hung_up(said: str, address: str, limit: float) -> NotYet:
    """Where a connection stays as long as nothing is asked, it is the question that the app does not understand."""
    try:
        with _connection(address, limit) as connection:
            connection.settimeout(_STAYS)
            sent = connection.recv(_SHOWN)
    except TimeoutError:
        return NotYet(f"{said}, though it takes connections", _CLOSED)
    except OSError:
        return NotYet(said)
    return NotYet(f"{said}: {address} says {_shown(sent)}", _SENT) if sent else NotYet(said)


def _shown(sent: bytes) -> str:
    said = "in TLS" if sent.startswith(_TLS) else f"“{one_line(sent, _SHOWN)}”"
    return f"{said}, which is no HTTP"


def _answer(connection: HTTPConnection, path: str, name: str) -> tuple[int, bytes]:
    """Status and body of an answer that came whole, or began to be large."""
    connection.request("GET", path, headers={"Host": name})
    begun = connection.sock.recv(len(_HTTP), socket.MSG_PEEK)
    if not _HTTP.startswith(begun):
        raise _NoHttpError(_read_on(connection.sock))
    response = connection.getresponse()
    body = response.read(_BODY)
    if response.length and len(body) < _BODY:
        raise IncompleteRead(body, response.length)
    return response.status, body


def _read_on(connection: socket.socket) -> bytes:
    """The next bytes of an answer, as many as are shown, or as come soon."""
    connection.settimeout(_STAYS)
    sent = b""
    with suppress(OSError):
        while len(sent) < _SHOWN and (more := connection.recv(_SHOWN)):
            sent += more
    return sent


class _Response(HTTPResponse):
    def __init__(self, *given: Any, **named: Any) -> None:  # noqa: ANN401 - whatever http.client hands over
        super().__init__(*given, **named)
        self.fp = _Lines(self.fp)  # type: ignore[assignment]  # all that is used of it is there


class _Lines:
    """What an app sends. http.client takes headers that break off for whole ones."""

    def __init__(self, sent: Any) -> None:  # noqa: ANN401 - a file, of which __getattr__ gives the rest
        self._sent = sent

    def readline(self, limit: int) -> bytes:
        line: bytes = self._sent.readline(limit)
        if not line.endswith(b"\n") and len(line) < limit:
            raise HTTPException("the answer broke off")
        return line

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._sent, name)


@contextmanager
def _cut_off(connection: socket.socket, limit: float) -> Iterator[threading.Event]:
    """End a connection after `limit` seconds: a timeout of its socket alone begins anew with every byte."""
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
