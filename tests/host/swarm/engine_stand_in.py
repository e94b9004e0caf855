"""A stand-in for the API of a Docker engine on a Unix socket, for failures that a real engine does not show on demand.

It serves the answers that a test gives it; messages are those recorded from real engines in `docker_messages.py`. What
a real engine answers is tested on a real Swarm, in tests/swarm.
"""

import json
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer
from urllib.parse import parse_qs, unquote, urlsplit

from attrs import define, field

from reconciler.host.swarm.engine.engine import Engine

VERSION = "1.41"
MANAGER = {"Swarm": {"NodeID": "n1", "LocalNodeState": "active", "ControlAvailable": True}}


@define
class EngineRequest:
    """A request that the stand-in got: method and path without the API's version, its parameters, and the body."""

    line: str
    params: Mapping[str, list[str]]
    body: bytes


Answer = Callable[[BaseHTTPRequestHandler, EngineRequest], None]


@define
class EngineStandIn:
    """The answers by "METHOD /path", and the requests that came."""

    socket: Path
    answers: dict[str, Answer]
    requests: list[EngineRequest] = field(factory=list)

    @property
    def lines(self) -> list[str]:
        return [request.line for request in self.requests]

    def engine(self, **environment: str) -> Engine:
        return Engine({"DOCKER_HOST": f"unix://{self.socket}", **environment})


def gives(value: object, status: int = 200) -> Answer:
    """Answer with a value as JSON."""
    return sends(json.dumps(value).encode(), status)


def sends(body: bytes, status: int = 200) -> Answer:
    """Answer with a whole body."""

    def answer(handler: BaseHTTPRequestHandler, _: EngineRequest) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def refuses(message: str, status: int = 500) -> Answer:
    """Answer as the engine refuses a call."""
    return gives({"message": message}, status)


def frame(stream: int, data: bytes) -> bytes:
    """Return data of stdout (1) or stderr (2) as the engine frames it."""
    return struct.pack(">BxxxL", stream, len(data)) + data


def streams(*frames: tuple[int, bytes]) -> Answer:
    """Answer with frames of stdout (1) and stderr (2), ended by the end of the connection, as an exec does."""

    def answer(handler: BaseHTTPRequestHandler, _: EngineRequest) -> None:
        handler.send_response(200)
        handler.send_header("Connection", "close")
        handler.end_headers()
        for stream, data in frames:
            handler.wfile.write(frame(stream, data))
        handler.close_connection = True

    return answer


def hangs_up(handler: BaseHTTPRequestHandler, _: EngineRequest) -> None:
    """End the connection without an answer."""
    handler.close_connection = True


def waits(release: threading.Event) -> Answer:
    """Answer nothing until `release` is set."""

    def answer(handler: BaseHTTPRequestHandler, _: EngineRequest) -> None:
        release.wait(60)
        handler.close_connection = True

    return answer


class _Server(ThreadingMixIn, UnixStreamServer):
    daemon_threads = True


Serve = Callable[[dict[str, Answer]], EngineStandIn]


@contextmanager
def engine_stand_in(folder: Path, answers: Mapping[str, Answer]) -> Iterator[EngineStandIn]:
    """Serve these answers, beside that of a swarm manager to "GET /info"."""
    usual = {"GET /info": gives(MANAGER)}
    stand_in = EngineStandIn(folder / "docker.sock", {**usual, **answers})

    class EngineHandler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            url = urlsplit(self.path)
            path = url.path.removeprefix(f"/v{VERSION}")
            request = EngineRequest(f"{self.command} {unquote(path)}", parse_qs(url.query), self._body())
            stand_in.requests.append(request)
            stand_in.answers.get(request.line, refuses(f"no answer to {request.line}", 501))(self, request)

        do_GET = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815  named by the standard library

        def send_response(self, code: int, message: str | None = None) -> None:
            super().send_response(code, message)
            self.send_header("Api-Version", VERSION)

        def _body(self) -> bytes:
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))

        def address_string(self) -> str:
            return "unix"

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with _Server(str(stand_in.socket), EngineHandler) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        try:
            yield stand_in
        finally:
            server.shutdown()
            serving.join()
