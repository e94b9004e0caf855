"""Asks an app once whether it answers as declared; "" means that it does, and anything else why not."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead
from typing import Any

from reconciler.crossing import Seen
from reconciler.host.text import printable

# How long a connection has to stay to count.
_STAYS = 0.5
_BODY = 64 * 1024


def connect(address: str, limit: float) -> str:
    """Docker's proxy takes any connection for a container, and ends it at once where the app does not listen."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=limit) as connection:
            return "" if _stays(connection) else f"{address} ends a connection at once"
    except OSError as failure:
        return f"{address} takes no connection: {failure}"


def _stays(connection: socket.socket) -> bool:
    connection.settimeout(_STAYS)
    try:
        return bool(connection.recv(1))
    except TimeoutError:
        return True
    except OSError:
        return False


def get(seen: Seen, path: str, wanted: tuple[int, ...], limit: float) -> str:
    """Ask for `path` once, for at most `limit` seconds; an answer that leads elsewhere is one, and is not followed.

    The name in the URL goes along: a proxy at the address routes by it.
    """
    connection = HTTPConnection(seen.address, timeout=limit)
    connection.response_class = _Response
    with closing(connection):
        try:
            connection.connect()
            with _cut_off(connection.sock, limit) as cut:
                status = _status(connection, path, seen.url.partition("://")[2])
        except (OSError, HTTPException, ValueError) as failure:
            return f"GET {printable(path)}: {printable(str(failure)) or type(failure).__name__}"
    if cut.is_set():
        return f"GET {printable(path)}: no whole answer within {limit:.3g} s"
    return "" if status in wanted else f"GET {printable(path)} is answered with {status}, not {_listed(wanted)}"


def _status(connection: HTTPConnection, path: str, name: str) -> int:
    """The status of an answer that came whole, or began to be large."""
    connection.request("GET", path, headers={"Host": name})
    response = connection.getresponse()
    body = response.read(_BODY)
    if response.length and len(body) < _BODY:
        raise IncompleteRead(body, response.length)
    return response.status


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
