"""Relays a Unix socket to the real engine, and kills the process whose call matches before the engine gets the call."""

import os
import re
import signal
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_CHUNK = 64 * 1024
_CREDENTIALS = struct.Struct("3i")


@contextmanager
def killing_relay(listen: Path, engine: str, at: str, then: str) -> Iterator[str]:
    """Yield the DOCKER_HOST of the relay. `engine` is that of the real engine, such as unix:///run/docker.sock.

    Kills the caller at the first request whose line begins with the regular expression `at`. The engine still gets that
    request if `then` is "everything", and nothing of it if `then` is "nothing".
    """
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(listen))
        server.listen(64)
        accepting = threading.Thread(target=_accept, args=(server, engine.removeprefix("unix://"), at, then))
        accepting.start()
        try:
            yield f"unix://{listen}"
        finally:
            # Ends the accept that waits.
            server.shutdown(socket.SHUT_RDWR)
            accepting.join()
            listen.unlink()


def _accept(server: socket.socket, engine: str, at: str, then: str) -> None:
    with suppress(OSError):
        while True:
            client, _ = server.accept()
            threading.Thread(target=_relay, args=(client, engine, at, then), daemon=True).start()


def _relay(client: socket.socket, engine: str, at: str, then: str) -> None:
    pid, _, _ = _CREDENTIALS.unpack(client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    with client, socket.socket(socket.AF_UNIX) as upstream, suppress(OSError):
        upstream.connect(engine)
        back = threading.Thread(target=_pump, args=(upstream, client), daemon=True)
        back.start()
        # The client writes one request after the other, the line of each at the start of a write.
        while chunk := client.recv(_CHUNK):
            if not re.match(at.encode(), chunk):
                upstream.sendall(chunk)
            elif then == "everything":
                request = chunk + _rest(client, chunk)
                os.kill(pid, signal.SIGKILL)
                upstream.sendall(request)
                # The engine drops a request whose sender hangs up before the answer.
                back.join()
            else:
                os.kill(pid, signal.SIGKILL)
                break
        upstream.shutdown(socket.SHUT_WR)
        back.join()


def _rest(client: socket.socket, begin: bytes) -> bytes:
    """Return the part of a request that is not in `begin`. The client writes headers and body one after the other."""
    headers, _, body = begin.partition(b"\r\n\r\n")
    length = re.search(rb"(?im)^content-length: *(\d+)", headers)
    missing = int(length[1]) - len(body) if length else 0
    rest = b""
    while len(rest) < missing and (chunk := client.recv(_CHUNK)):
        rest += chunk
    return rest


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while chunk := source.recv(_CHUNK):
            target.sendall(chunk)
        target.shutdown(socket.SHUT_WR)
