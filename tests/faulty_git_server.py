"""HTTP servers of git repositories that answer wrongly, slowly or not at all."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from attrs import define, field

_ADVERTISED = "application/x-git-upload-pack-advertisement"
_COMMIT = "1" * 40
_OTHER = "2" * 40
_PAUSE = 0.05

Fault = Callable[[socket.socket, threading.Event], None]


def packet(line: str) -> bytes:
    return f"{len(line) + 4:04x}{line}".encode()


def advertisement(*refs: str, symref: str = " symref=HEAD:refs/heads/main", flush: bool = True) -> bytes:
    """Return a smart HTTP answer of git's protocol version 0."""
    first = packet("# service=git-upload-pack\n") + b"0000"
    capabilities = f"\0side-band-64k ofs-delta{symref} agent=git/2.39\n"
    lines = [packet(ref + (capabilities if number == 0 else "\n")) for number, ref in enumerate(refs)]
    return first + b"".join(lines) + (b"0000" if flush else b"")


REFS = (
    f"{_COMMIT} HEAD",
    f"{_COMMIT} refs/heads/main",
    f"{_COMMIT} refs/tags/1.0.0",
    f"{_OTHER} refs/tags/2.0.0",
)


def head_of(status: str, length: int, kind: str = "text/html", more: str = "") -> bytes:
    lines = (f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {length}", "Connection: close", more)
    return "\r\n".join(lines).encode() + (b"\r\n\r\n" if more else b"\r\n")


def answers(body: bytes, status: str = "200 OK", kind: str = "text/html", more: str = "") -> Fault:
    return lambda peer, _: peer.sendall(head_of(status, len(body), kind, more) + body)


def cuts(body: bytes, keep: int) -> Fault:
    """Announce all of `body`, and close the connection after `keep` bytes."""
    return lambda peer, _: peer.sendall(head_of("200 OK", len(body), _ADVERTISED) + body[:keep])


def drips(body: bytes) -> Fault:
    """Send one byte at a time, without end."""

    def send(peer: socket.socket, stop: threading.Event) -> None:
        peer.sendall(head_of("200 OK", 1_000_000, _ADVERTISED))
        for byte in body:
            peer.sendall(bytes([byte]))
            if stop.wait(_PAUSE):
                return

    return send


def hangs(_: socket.socket, stop: threading.Event) -> None:
    stop.wait()


def resets(peer: socket.socket, _: threading.Event) -> None:
    # Linger time 0: the peer sees a reset connection.
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def redirects(target: str) -> Fault:
    return answers(b"", "301 Moved Permanently", more=f"Location: {target}")


_WHOLE = advertisement(*REFS)

# Each fault with a part of the reason that Canon must give.
FAULTS: dict[str, tuple[Fault, str]] = {
    "an empty body": (answers(b""), "no refs at all"),
    "a line of HTML": (answers(b"<html>closed for maintenance</html>"), "no refs at all"),
    "a page of HTML": (answers(b"<html>\n<body>\nSign in\n</body>\n</html>\n"), "could not list it"),
    "a line of JSON": (answers(b'{"error": "maintenance"}', kind="application/json"), "no refs at all"),
    "a repository without refs": (
        answers(advertisement(f"{'0' * 40} capabilities^{{}}", symref=""), kind=_ADVERTISED),
        "no refs",
    ),
    "status 401": (answers(b"", "401 Unauthorized", more='WWW-Authenticate: Basic realm="x"'), "wants a password"),
    "status 403": (answers(b"", "403 Forbidden"), "status 403"),
    "status 404": (answers(b"", "404 Not Found"), "not found"),
    "status 429": (answers(b"", "429 Too Many Requests"), "status 429"),
    "status 500": (answers(b"", "500 Internal Server Error"), "status 500"),
    "status 503": (answers(b"", "503 Service Unavailable"), "status 503"),
    "an answer cut within the refs": (cuts(_WHOLE, len(_WHOLE) // 2), "could not list it"),
    "an answer cut between two refs": (
        cuts(_WHOLE, len(_WHOLE) - 4 - len(packet(REFS[-1] + "\n"))),
        "could not list it",
    ),
    "no flush at the end": (answers(advertisement(*REFS, flush=False), kind=_ADVERTISED), "could not list it"),
    "a byte at a time": (drips(_WHOLE * 1000), "in time"),
    "silence": (hangs, "in time"),
    "a reset connection": (resets, "could not list it"),
    "a redirect to a file": (redirects("file:///etc/passwd"), "could not list it"),
    "a redirect to itself": (redirects("/x.git/info/refs?service=git-upload-pack"), "could not list it"),
    "a main branch that is not there": (answers(advertisement(REFS[0], *REFS[2:]), kind=_ADVERTISED), "main"),
    "a name git forbids": (
        answers(advertisement(*REFS, f"{_COMMIT} refs/tags/../../x"), kind=_ADVERTISED),
        "line that git does not write",
    ),
    "a ref named twice": (
        answers(advertisement(*REFS, f"{_OTHER} refs/tags/1.0.0"), kind=_ADVERTISED),
        "line that git does not write",
    ),
}


@define
class FaultyGitServer:
    """A server that fails as `failing` says, which may be changed. `url` is the URL of a repository on it."""

    url: str
    failing: Fault
    requests: int = 0
    _stop: threading.Event = field(factory=threading.Event)

    def serve(self, listener: socket.socket) -> None:
        with listener:
            while not self._stop.is_set():
                with suppress(TimeoutError):
                    peer, _ = listener.accept()
                    threading.Thread(target=self._answer, args=(peer,)).start()

    def stop(self) -> None:
        self._stop.set()

    def _answer(self, peer: socket.socket) -> None:
        # The client may disconnect at any moment.
        with peer, suppress(OSError):
            received = b""
            while b"\r\n\r\n" not in received:
                if not (chunk := peer.recv(65536)):
                    return
                received += chunk
            self.requests += 1
            self.failing(peer, self._stop)


@contextmanager
def faulty_git_server(failing: Fault) -> Iterator[FaultyGitServer]:
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.05)
    server = FaultyGitServer(f"http://127.0.0.1:{listener.getsockname()[1]}/x.git", failing)
    thread = threading.Thread(target=server.serve, args=(listener,))
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join()
