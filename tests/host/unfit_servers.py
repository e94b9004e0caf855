"""Servers in place of an app that answer badly."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

from attrs import field, frozen


class Impostor:
    """A listener that sends the same bytes to every client, with `pause` between them."""

    def __init__(self, answer: bytes, pause: float = 0.0) -> None:
        self.answer, self.pause, self.asked = answer, pause, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.over = threading.Event()

    def serve(self) -> None:
        while not self.over.is_set():
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                self.asked += 1
                with suppress(OSError):
                    self.drip(connection)

    def drip(self, connection: socket.socket) -> None:
        for byte in self.answer:
            connection.sendall(bytes([byte]))
            if self.pause and self.over.wait(self.pause):
                return


@contextmanager
def impostor(answer: bytes, pause: float = 0.0) -> Iterator[Impostor]:
    with served(Impostor(answer, pause)) as server:
        yield server


@contextmanager
def served(server: Impostor) -> Iterator[Impostor]:
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.listener.shutdown(socket.SHUT_RDWR)
        server.listener.close()
        thread.join()


GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


@frozen
class Skipping:
    """A clock that each pause moves, so that no test waits."""

    passed: list[float] = field(factory=list)

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return sum(self.passed)


FOREIGN = {
    b"SSH-2.0-OpenSSH_9.2\r\n": "“SSH-2.0-OpenSSH_9.2”, which is no HTTP",
    b"220 mail.example ESMTP\r\n": "“220 mail.example ESMTP”, which is no HTTP",
    b"-ERR unknown command 'GET', with args beginning with\r\n": "“-ERR unknown command 'GET', with args be”",
    b"J\0\0\0\n8.0.36\0": "“J",
    b"\x15\x03\x01\0\x02\x02\x0a": "in TLS, which is no HTTP",
    b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n": "since it wants HTTPS",
}


class Foreign(Impostor):
    """A listener that sends everything at once, whatever the request, and reads the request."""

    def drip(self, connection: socket.socket) -> None:
        connection.sendall(self.answer)
        connection.recv(4096)


class Deaf(Impostor):
    """A listener that accepts connections, and closes them at any request."""

    def drip(self, connection: socket.socket) -> None:
        connection.recv(64)


class Full(Impostor):
    """A listener that closes its first connection at a request, and takes no other: its queue is full by then."""

    def serve(self) -> None:
        self.listener.listen(0)
        with self.listener.accept()[0] as connection, socket.socket() as one, socket.socket() as other:
            for waiting in (one, other):
                waiting.settimeout(0)
                waiting.connect_ex(self.listener.getsockname())
            connection.recv(64)
            connection.close()
            self.over.wait()


class Starting(Impostor):
    """A listener that answers well in the end; earlier clients get the bytes of `first`, or nothing for long."""

    def __init__(self, *first: bytes | None) -> None:
        super().__init__(GOOD)
        self.first = first

    def drip(self, connection: socket.socket) -> None:
        if self.asked > len(self.first):
            super().drip(connection)
            connection.recv(4096)
        elif (early := self.first[self.asked - 1]) is None:
            connection.settimeout(20)
            while connection.recv(64):
                pass
        else:
            connection.sendall(early)
            connection.recv(4096)
