"""Relays a Unix socket to the real engine, so that a test meets each request before the engine does."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from attrs import frozen

CHUNK = 64 * 1024


@frozen
class RelayedConnection:
    """A connection of a client, and the one to the engine that belongs to it. Answers go back by themselves."""

    client: socket.socket
    engine: socket.socket
    answers: threading.Thread


Forward = Callable[[RelayedConnection], None]


@contextmanager
def socket_relay(listen: Path, engine: str, forward: Forward) -> Iterator[str]:
    """Yield the DOCKER_HOST of the relay. `engine` is that of the real engine, such as unix:///run/docker.sock.

    `forward` is called for each connection, and sends to the engine what the client writes, until its end.
    """
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(listen))
        server.listen(64)
        accepting = threading.Thread(target=_accept, args=(server, engine.removeprefix("unix://"), forward))
        accepting.start()
        try:
            yield f"unix://{listen}"
        finally:
            # Ends the accept that waits.
            server.shutdown(socket.SHUT_RDWR)
            accepting.join()
            listen.unlink()


def _accept(server: socket.socket, engine: str, forward: Forward) -> None:
    with suppress(OSError):
        while True:
            client, _ = server.accept()
            threading.Thread(target=_relay, args=(client, engine, forward), daemon=True).start()


def _relay(client: socket.socket, engine: str, forward: Forward) -> None:
    with client, socket.socket(socket.AF_UNIX) as upstream, suppress(OSError):
        upstream.connect(engine)
        answers = threading.Thread(target=_pump, args=(upstream, client), daemon=True)
        answers.start()
        forward(RelayedConnection(client, upstream, answers))
        upstream.shutdown(socket.SHUT_WR)
        answers.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while chunk := source.recv(CHUNK):
            target.sendall(chunk)
        target.shutdown(socket.SHUT_WR)
