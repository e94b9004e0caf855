"""Starts one line of a Procfile, and waits until a look can rely on it."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from reconciler.errors import InfrastructureError
from reconciler.host import app_directory as appfiles
from reconciler.host.processes.line_supervisor import LINE_MARK
from reconciler.host.processes.procfs import mark_of, read_process
from reconciler.host.run import start_server
from reconciler.ports.app import App

_STARTING = 60.0


class StartedServer(Protocol):
    """The witness of one line, started by us; `poll` gives its exit code once it has ended."""

    pid: int

    def poll(self) -> int | None: ...


def start(app: App, name: str, argv: tuple[str, ...], environment: Mapping[str, str], checkout: Path) -> StartedServer:
    try:
        with appfiles.open_raw_log(app, name) as log:
            return start_server(argv, environment, checkout, log, app.mark)
    except OSError as failure:
        raise InfrastructureError(f"{app.recipe}: {name} cannot be started: {failure.strerror}") from None


def wait_until_started(app: App, name: str, server: StartedServer) -> None:
    """Return once the line shows who it is, or has ended: from then on a look can rely on what it finds."""
    until = time.monotonic() + _STARTING
    while server.poll() is None:
        process = read_process(server.pid)
        if process and mark_of(process, LINE_MARK):
            return
        if time.monotonic() > until:
            raise InfrastructureError(f"{app.recipe}: {name} did not begin within {_STARTING:.0f} s")
        time.sleep(0.005)
