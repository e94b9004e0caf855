"""Relays a Unix socket to the real engine, and kills the process whose call matches before the engine gets the call."""

import os
import re
import signal
import socket
import struct
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

from tests.swarm.socket_relay import CHUNK, RelayedConnection, socket_relay

_CREDENTIALS = struct.Struct("3i")


def killing_relay(listen: Path, engine: str, at: str, then: str) -> AbstractContextManager[str]:
    """Yield the DOCKER_HOST of the relay. `engine` is that of the real engine, such as unix:///run/docker.sock.

    Kills the caller at the first request whose line begins with the regular expression `at`. The engine still gets that
    request if `then` is "everything", and nothing of it if `then` is "nothing".
    """
    return socket_relay(listen, engine, partial(_forward, at=at, then=then))


def _forward(connection: RelayedConnection, at: str, then: str) -> None:
    client, engine = connection.client, connection.engine
    pid, _, _ = _CREDENTIALS.unpack(client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    # The client writes one request after the other, the line of each at the start of a write.
    while chunk := client.recv(CHUNK):
        if not re.match(at.encode(), chunk):
            engine.sendall(chunk)
        elif then == "everything":
            request = chunk + _rest(client, chunk)
            os.kill(pid, signal.SIGKILL)
            engine.sendall(request)
            # The engine drops a request whose sender hangs up before the answer.
            connection.answers.join()
        else:
            os.kill(pid, signal.SIGKILL)
            return


def _rest(client: socket.socket, begin: bytes) -> bytes:
    """Return the part of a request that is not in `begin`. The client writes headers and body one after the other."""
    headers, _, body = begin.partition(b"\r\n\r\n")
    length = re.search(rb"(?im)^content-length: *(\d+)", headers)
    missing = int(length[1]) - len(body) if length else 0
    rest = b""
    while len(rest) < missing and (chunk := client.recv(CHUNK)):
        rest += chunk
    return rest
