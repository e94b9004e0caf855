"""Counts what a command asks of the real engine: requests over its socket, and starts of Docker's command."""

import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from attrs import evolve, frozen

from tests.swarm.local_engine import LocalEngine
from tests.swarm.socket_relay import CHUNK, RelayedConnection, socket_relay

_REQUEST = re.compile(rb"(?:GET|HEAD|POST|PUT|DELETE) \S+(?= HTTP/1\.1\r\n)")


@frozen
class EngineUse:
    """The engine through the relay, the lines of all requests so far, and the file with a line for each start."""

    engine: LocalEngine
    requests: list[str]
    file: Path

    @property
    def starts(self) -> list[str]:
        return self.file.read_text().splitlines()

    def forget(self) -> None:
        self.requests.clear()
        self.file.write_text("")


@contextmanager
def counted_engine(folder: Path, engine: LocalEngine) -> Iterator[EngineUse]:
    """Yield the engine with its use counted. `folder` is a new folder for the relay's socket and a `docker` of its own.

    Requests of Docker's command count too.
    """
    folder.mkdir()
    requests, file = list[str](), folder / "starts"
    file.touch()
    command = folder / "docker"
    command.write_text(f'#!/bin/sh\necho "$*" >>{shlex.quote(str(file))}\nexec {engine.client}/docker "$@"\n')
    command.chmod(0o755)
    with socket_relay(folder / "docker.sock", engine.host, partial(_forward, requests=requests)) as host:
        yield EngineUse(evolve(engine, host=host, client=folder), requests, file)


def _forward(connection: RelayedConnection, requests: list[str]) -> None:
    # The client writes one request after the other, the line of each at the start of a write.
    while chunk := connection.client.recv(CHUNK):
        if line := _REQUEST.match(chunk):
            requests.append(line[0].decode())
        connection.engine.sendall(chunk)
