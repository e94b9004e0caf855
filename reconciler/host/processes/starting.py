"""Starts one line of a Procfile, and waits until its status can be read."""

from collections.abc import Mapping
from itertools import repeat
from pathlib import Path
from typing import Protocol

from reconciler.errors import InfrastructureError
from reconciler.host import app_directory
from reconciler.host.processes.line_supervisor import LINE_MARK
from reconciler.host.processes.procfs import mark_of, read_process
from reconciler.host.readiness.polling import poll
from reconciler.host.run import start_server
from reconciler.ports.app import App

_STARTING = 60.0
_PAUSE = 0.005
# In seconds: the longest wait for the exit code of a process that is about to end.
_ENDING = 2.0


class StartedServer(Protocol):
    """The supervisor of a Procfile line (the shell that runs the line) that Canon started.

    `pid` is its process id. `poll` returns its exit code, or None while it runs.
    """

    pid: int

    def poll(self) -> int | None: ...


def start(app: App, name: str, argv: tuple[str, ...], environment: Mapping[str, str], checkout: Path) -> StartedServer:
    """Start the Procfile line `name` with the arguments `argv`, in the folder `checkout`.

    Return its supervisor, which is the shell that runs the line. The output of the line is appended to its log. Raise
    InfrastructureError if the line cannot be started.
    """
    try:
        with app_directory.open_raw_log(app, name) as log:
            return start_server(argv, environment, checkout, log, app.mark)
    except OSError as failure:
        raise InfrastructureError(f"{app.recipe}: {name} cannot be started: {failure.strerror}") from None


def wait_until_started(app: App, name: str, server: StartedServer) -> None:
    """Wait until the line `name` has really started, or has ended. `server` is its supervisor.

    A line has started once its supervisor has CANON_LINE in its environment. Before that, the status of the app cannot
    be read. Raise InfrastructureError after a minute.
    """

    def is_started() -> bool:
        process = None if server.poll() is not None else read_process(server.pid)
        return process is None or mark_of(process, LINE_MARK) is not None

    if not poll(is_started, bool, _STARTING, repeat(_PAUSE)):
        raise InfrastructureError(f"{app.recipe}: {name} did not begin within {_STARTING:.0f} s")


def awaited_exit_code(server: StartedServer) -> int | None:
    """Return the exit code of a supervisor, the shell that runs a Procfile line. Wait up to two seconds for it.

    Call this for a supervisor that is no longer found among the app's processes. A process that ends loses its
    environment, by which it is found, a moment before it has an exit code: so the wait is needed. Return None if the
    supervisor still runs after two seconds.
    """
    poll(lambda: server.poll() is not None, bool, _ENDING, repeat(_PAUSE))
    return server.poll()
