"""HTTP servers of git repositories that answer wrongly, slowly or not at all."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from attrs import define, field

_ADVERTISED = "application/x-git-upload-pack-advertisement"
_LISTED = "application/x-git-upload-pack-result"
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


def cuts(body: bytes, keep: int, kind: str = _ADVERTISED) -> Fault:
    """Announce all of `body`, and close the connection after `keep` bytes."""
    return lambda peer, _: peer.sendall(head_of("200 OK", len(body), kind) + body[:keep])


def drips(body: bytes, kind: str = _ADVERTISED) -> Fault:
    """Send one byte at a time, without end."""

    def send(peer: socket.socket, stop: threading.Event) -> None:
        peer.sendall(head_of("200 OK", 1_000_000, kind))
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


def ls_refs_answer(*refs: str, end: bytes = b"0000") -> bytes:
    """Return an answer to the command `ls-refs` of git's protocol version 2."""
    return b"".join(packet(f"{ref}\n") for ref in refs) + end


def _answers_v2(*refs: str, end: bytes = b"0000", kind: str = _LISTED, more: str = "") -> Fault:
    return answers(ls_refs_answer(*refs, end=end), kind=kind, more=more)


_LISTED_REFS = (f"{REFS[0]} symref-target:refs/heads/main", *REFS[1:])
_LISTED_WHOLE = ls_refs_answer(*_LISTED_REFS)

V2_CAPABILITIES = packet("version 2\n") + packet("agent=git/2.39\n") + packet("ls-refs\n") + b"0000"

# Complete answers to `ls-refs` whose refs are wrong.
V2_FAULTS: dict[str, tuple[str, ...]] = {
    "no main branch": (_LISTED_REFS[0], *REFS[2:]),
    "another main branch": (_LISTED_REFS[0], f"{_OTHER} refs/heads/main", *REFS[2:]),
    "a name git forbids": (*_LISTED_REFS, f"{_COMMIT} refs/tags/../../x"),
    "a ref named twice": (*_LISTED_REFS, f"{_OTHER} refs/tags/1.0.0"),
    "a ref named as what another one peels to": (*_LISTED_REFS, f"{_OTHER} refs/tags/3.0.0^{{}}"),
}

# Wrong answers to a POST of `ls-refs`, from a server whose answers to GET are complete and of the old protocol.
POST_FAULTS: dict[str, Fault] = {
    **{f"{name}, to POST alone": fault for name, (fault, _) in FAULTS.items()},
    "an empty body of the right type": answers(b"", kind=_LISTED),
    "no refs": _answers_v2(),
    "no flush at the end of v2": _answers_v2(*_LISTED_REFS, end=b""),
    "a delimiter for the flush": _answers_v2(*_LISTED_REFS, end=b"0001"),
    "half a flush": _answers_v2(*_LISTED_REFS, end=b"00"),
    "something behind the flush": _answers_v2(*_LISTED_REFS, end=b"00000000"),
    "fewer refs, and the flush first": answers(b"0000" + _LISTED_WHOLE, kind=_LISTED),
    "the wrong type": _answers_v2(*_LISTED_REFS, kind="text/plain"),
    "no length that is a number": answers(b"+" + _LISTED_WHOLE[1:], kind=_LISTED),
    "a length too long": answers(b"0fff" + _LISTED_WHOLE[4:], kind=_LISTED),
    "an error in a packet": answers(packet("ERR no such repository\n") + b"0000", kind=_LISTED),
    "an unknown attribute": _answers_v2(*_LISTED_REFS, f"{_OTHER} refs/tags/3.0.0 rotten:yes"),
    "a name with a line feed": _answers_v2(*_LISTED_REFS, f"{_OTHER} refs/tags/3.0.0\n{_OTHER}\trefs/tags/4.0.0"),
    "object ids of SHA-256": _answers_v2(f"{'1' * 64} HEAD", f"{'1' * 64} refs/tags/3.0.0"),
    "v2 cut within the refs": cuts(_LISTED_WHOLE, len(_LISTED_WHOLE) // 2, _LISTED),
    "v2 cut before the flush": cuts(_LISTED_WHOLE, len(_LISTED_WHOLE) - 4, _LISTED),
    "v2 a byte at a time": drips(_LISTED_WHOLE * 1000, _LISTED),
    "more than is allowed": _answers_v2(*_LISTED_REFS, *(f"{_OTHER} refs/tags/3.0.{n}" for n in range(2000))),
    "status 415": answers(b"", "415 Unsupported Media Type"),
    "status 405": answers(b"", "405 Method Not Allowed"),
}


@define
class FaultyGitServer:
    """A server that fails as `failing` says, which may be changed. `url` is the URL of a repository on it.

    Requests by POST fail as `posting` says, unless it is None.
    """

    url: str
    failing: Fault
    posting: Fault | None = None
    requests: int = 0
    posts: int = 0
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
            is_post = received.startswith(b"POST ")
            self.posts += is_post
            (self.posting if is_post and self.posting else self.failing)(peer, self._stop)


@contextmanager
def faulty_git_server(failing: Fault, posting: Fault | None = None) -> Iterator[FaultyGitServer]:
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.05)
    server = FaultyGitServer(f"http://127.0.0.1:{listener.getsockname()[1]}/x.git", failing, posting)
    thread = threading.Thread(target=server.serve, args=(listener,))
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join()
