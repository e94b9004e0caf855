"""JSON over HTTP: a table of routes in, a server on 127.0.0.1:$PORT out."""

import json
import os
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from urllib.parse import parse_qsl, urlsplit

Given = Mapping[str, str]
Routes = Mapping[str, Callable[[Given], object]]


class RefusedError(Exception):
    """A request that the app refuses. `status` is the HTTP status of the answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Server(ThreadingTCPServer):
    """Answers each request in a thread of its own. After a restart it can use the same port at once."""

    allow_reuse_address = True
    daemon_threads = True


def answered(routes: Routes, asked: str, given: Given) -> tuple[int, object]:
    """Return the HTTP status and the answer to a request such as "GET /notes"."""
    if asked not in routes:
        return 404, {"error": f"no such page: {asked}"}
    try:
        return 200, routes[asked](given)
    except RefusedError as refusal:
        return refusal.status, {"error": str(refusal)}
    except KeyError as missing:
        return 400, {"error": f"missing: {missing}"}


def serve(routes: Routes) -> None:
    """Answer requests for ever. A route gets the values of the query and of the JSON body together."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            address = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}"
            given = dict(parse_qsl(address.query)) | json.loads(body)
            status, said = answered(routes, f"{self.command} {address.path}", given)
            answer = json.dumps(said).encode() + b"\n"
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = answer

    with Server(("127.0.0.1", int(os.environ["PORT"])), Handler) as server:
        server.serve_forever()
