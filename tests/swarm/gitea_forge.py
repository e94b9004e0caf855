"""A real Gitea on the tests' engine, with a user whose repositories are made by the first push."""

import base64
import json
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from attrs import frozen

from tests.swarm.local_engine import LocalEngine

IMAGE = "127.0.0.1:5000/gitea:1.26.0"
USER, PASSWORD = "mirrors", "correct-horse-1"
WORK = "/forge"
SETTINGS = f"""\
[security]
INSTALL_LOCK = true
[repository]
ROOT = {WORK}/repositories
ENABLE_PUSH_CREATE_USER = true
DEFAULT_PUSH_CREATE_PRIVATE = false
[database]
DB_TYPE = sqlite3
[server]
OFFLINE_MODE = true
"""


@frozen
class Gitea:
    """A running Gitea. `url` is its address on loopback, `container` its container."""

    engine: LocalEngine
    container: str
    url: str

    def call(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - any JSON
        """Call Gitea's API as the user of the mirrors, and return the answer."""
        pair = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        headers = {"Authorization": f"Basic {pair}", "Content-Type": "application/json"}
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"{self.url}/api/v1{path}", data, headers, method=method)  # noqa: S310
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - our own forge
            return json.loads(answer.read() or b"null")

    def refs(self, name: str) -> dict[str, str]:
        """Return the refs of a repository as Gitea's own storage has them."""
        listed = self.engine.docker(
            *("exec", self.container, "git", "-C", f"{WORK}/repositories/{USER}/{name}.git"),
            *("for-each-ref", "--format=%(refname) %(objectname)"),
        )
        return dict(line.split(" ") for line in listed.splitlines())


@contextmanager
def running_gitea(engine: LocalEngine) -> Iterator[Gitea]:
    """Run a Gitea with a user; its repositories are on a small disk of their own."""
    script = f'printf %s "$SETTINGS" >{WORK}/app.ini && exec gitea --config {WORK}/app.ini web'
    started = engine.docker(
        *("run", "--detach", "--rm", "--publish", "127.0.0.1::3000", "--tmpfs", f"{WORK}:size=64m,mode=1777,exec"),
        *("--env", f"SETTINGS={SETTINGS}", "--env", f"GITEA_WORK_DIR={WORK}", "--env", f"HOME={WORK}"),
        *(IMAGE, "sh", "-c", script),
    )
    try:
        port = engine.docker("port", started, "3000/tcp").rpartition(":")[2]
        forge = Gitea(engine, started, f"http://127.0.0.1:{port}")
        _wait_until_up(forge)
        _admin(
            forge, "user", "create", "--username", USER, "--password", PASSWORD, "--email", "m@example.org", "--admin"
        )
        yield forge
    finally:
        engine.docker("rm", "--force", "--volumes", started)


def _admin(forge: Gitea, *words: str) -> str:
    command = ("exec", forge.container, "gitea", "--config", f"{WORK}/app.ini", "admin", *words)
    return forge.engine.docker(*command, "--must-change-password=false")


def _wait_until_up(forge: Gitea) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(f"{forge.url}/api/healthz", timeout=5).close()  # noqa: S310 - our own forge
        except OSError:
            time.sleep(0.3)
        else:
            return
    pytest.fail(forge.engine.docker("logs", forge.container))
