"""Small process recipes for the tests of the process driver, and functions that wait for their effects."""

import os
import shlex
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from reconciler.host.processes.process_driver import ProcessDriver
from reconciler.ports.app import App, DeployOptions, NotRunning, RunningApp

T = TypeVar("T")

COMMIT = "c0ffee" + "0" * 34
OPTIONS = DeployOptions("1.0.0+1", COMMIT)
ENVIRONMENT = {"PATH": os.defpath, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
PYTHON = shlex.quote(sys.executable)

# GET /env returns the environment, GET /status/N answers with N, GET /away redirects, all else is 200.
SERVER = """\
import http.server, json, os, sys

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        status = int(self.path.rsplit("/", 1)[1]) if self.path.startswith("/status/") else 200
        status = 302 if self.path == "/away" else status
        body = json.dumps(dict(os.environ)).encode() if self.path == "/env" else b"here"
        self.send_response(status)
        self.send_header("Location", "/status/200")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass

http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""

# Leaves `sleep` running as a daemon: forked twice, in its own session, with an empty environment. Writes its pid.
ESCAPE = """\
import os, sys
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        with open(sys.argv[1], "w") as file:
            print(os.getpid(), file=file)
        os.execve("/bin/sleep", ["sleep", "1000"], {})
    os._exit(0)
os.wait()
"""


def checkout(folder: Path, sample: str = "", **lines: str) -> Path:
    """Write a release whose Procfile holds `lines`. `web` runs SERVER unless `lines` says otherwise."""
    folder.mkdir(parents=True)
    lines = {"web": f"exec {PYTHON} server.py", **lines}
    (folder / "Procfile").write_text("".join(f"{name}: {command}\n" for name, command in lines.items()))
    (folder / "server.py").write_text(SERVER)
    (folder / "escape.py").write_text(ESCAPE)
    if sample:
        (folder / ".env.sample").write_text(sample)
    return folder


def script(text: str) -> str:
    """Return a Procfile command that runs Python code."""
    return f"exec {PYTHON} -c {shlex.quote(text)}"


def daemon(then: str) -> str:
    """Return a Procfile command that starts a daemon, writes its pid to `$DATA_DIR/daemon`, and runs `then`."""
    return f"{PYTHON} escape.py $DATA_DIR/daemon; {then}"


def app_in_slot(slot: Path, recipe: str = "notes", grace: float = 30.0) -> App:
    return App(recipe, slot / recipe, str(slot), timedelta(seconds=grace))


@contextmanager
def process_driver(*slots: Path) -> Iterator[ProcessDriver]:
    """Yield a process driver. At the end, all that still runs in `slots` is stopped."""
    driver = ProcessDriver({**ENVIRONMENT, "HTTPS_PROXY": "for commands only"}, grace=2.0)
    try:
        yield driver
    finally:
        for slot in slots:
            driver.clear(str(slot))


def wait_for(look: Callable[[], T | None], seconds: float = 30.0) -> T:
    """Return the first true value of `look`. Fails after `seconds`."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := look():
            return found
        time.sleep(0.02)
    raise AssertionError("it never happened")


def settled(driver: ProcessDriver, app: App) -> RunningApp:
    def look() -> RunningApp | None:
        seen = driver.status(app)
        return seen if isinstance(seen, RunningApp) and seen.is_up else None

    return wait_for(look)


def absent(driver: ProcessDriver, app: App) -> NotRunning:
    def look() -> NotRunning | None:
        seen = driver.status(app)
        return seen if isinstance(seen, NotRunning) else None

    return wait_for(look)


def wait_for_line(path: Path) -> str:
    """Return the text of a file as soon as it ends with a whole line."""
    return wait_for(lambda: text if path.exists() and (text := path.read_text()).endswith("\n") else None)


def is_running(pid: int) -> bool:
    """Whether the process `pid` runs. A zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
