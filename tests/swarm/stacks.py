"""Small stacks on the real engine, deployed by the real driver."""

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from desired.model import Swarm
from reconciler.host import app_directory
from reconciler.host.swarm.engine import engine as docker
from reconciler.host.swarm.recipe.stack import stack_of
from reconciler.host.swarm.services.stack_state import read_stack
from reconciler.host.swarm.swarm_driver import SwarmDriver
from reconciler.ports.app import App, DeployOptions, NotRunning, RunningApp
from tests.swarm.local_engine import LocalEngine

COMMIT = "c" * 40
NGINX = "127.0.0.1:5000/nginx:1.22.1"
NGINX_NEXT = "127.0.0.1:5000/nginx:1.26.3"
BASE = "127.0.0.1:5000/base:bookworm"
POSTGRES = "127.0.0.1:5000/postgres:15"
SERVER = "traefik.http.services.notes.loadbalancer.server.port"
PATIENCE = 120.0
# The end of a script that waits for SIGTERM and then exits. As process 1 of a container, `sleep` alone ignores it.
UNTIL_STOPPED = "trap 'exit 0' TERM; sleep 1000 & wait"

Service = dict[str, Any]


def service(script: str, condition: str = "any", **more: object) -> Service:
    """Return a service that runs a script. Swarm restarts it soon after it ends."""
    made = deployed(restart_policy={"condition": condition, "delay": "500ms"})
    return {"image": BASE, "command": ["sh", "-c", script], "stop_grace_period": "0s", **made, **more}


def server(image: str = NGINX, deploy: Mapping[str, object] | None = None, **more: object) -> Service:
    """Return a service that answers at port 80, labelled as in a recipe."""
    return {"image": image, **deployed(labels={SERVER: "80"}, **(deploy or {})), **more}


def deployed(**deploy: object) -> Service:
    # The kernel of a test machine may have no IPVS, which other modes need.
    return {"deploy": {"endpoint_mode": "dnsrr", **deploy}}


def release(
    folder: Path, services: Mapping[str, Service], parts: Mapping[str, object] | None = None, sample: str = ""
) -> Path:
    """Write a recipe's checkout with these services and other parts of a compose file. JSON is valid YAML."""
    folder.mkdir(parents=True)
    (folder / "compose.yml").write_text(json.dumps({"version": "3.8", "services": services, **(parts or {})}))
    (folder / ".env.sample").write_text(sample)
    return folder


def options(version: str = "1.0.0+1", **more: Any) -> DeployOptions:  # noqa: ANN401 - any part of it
    return evolve(DeployOptions(version, COMMIT), **more)


@frozen
class SwarmSlots:
    """Apps in slots below a folder, and the driver for all of them."""

    engine: LocalEngine
    folder: Path
    environment: Mapping[str, str]

    @classmethod
    def on(cls, engine: LocalEngine, folder: Path, **environment: str) -> "SwarmSlots":
        folder.mkdir(parents=True, exist_ok=True)
        return cls(engine, folder, {**engine.environment, **environment})

    @property
    def driver(self) -> SwarmDriver:
        return SwarmDriver(docker.Engine(self.environment), Swarm())

    def app(self, slot: str = "slot", recipe: str = "notes", **secrets: str) -> App:
        mark = self.folder / slot
        app = App(recipe, mark / recipe, str(mark))
        app_directory.create_folders(app)
        for name, secret in secrets.items():
            (app.secrets / name).write_text(secret)
        return app

    def stack(self, app: App) -> str:
        return stack_of(app, Swarm().zone).name

    def settled(self, app: App) -> RunningApp:
        return self.seen(app, lambda seen: seen.is_up)

    def lost(self, app: App) -> str:
        return self.seen(app, lambda seen: bool(seen.failure)).failure

    def seen(self, app: App, enough: Callable[[RunningApp], bool]) -> RunningApp:
        """Wait until the app's status is `enough`. Fails if the app is lost before, or settled and lost at once."""
        until = time.monotonic() + PATIENCE
        while True:
            seen = self.driver.status(app)
            assert isinstance(seen, RunningApp), seen
            assert not (seen.is_up and (seen.failure or seen.problem)), seen
            if enough(seen):
                return seen
            assert not seen.failure, seen.failure
            assert time.monotonic() < until, f"not within {PATIENCE} s: {seen}"
            time.sleep(0.2)

    def wait_for_docker(self, app: App, enough: Callable[[Sequence[Any], Sequence[Any]], bool]) -> None:
        """Wait until `enough` is true of the services and tasks that Docker reports."""
        until = time.monotonic() + PATIENCE
        stack = stack_of(app, Swarm().zone)
        while not enough(
            (stack_state := read_stack(docker.Engine(self.environment), stack)).services, stack_state.tasks
        ):
            assert time.monotonic() < until, stack_state
            time.sleep(0.2)

    def run(self, app: App, *argv: str, text: str = "", **environment: str) -> str:
        """Run a command inside the app and return its output."""
        told = self.run_inside(app, *argv, text=text, **environment)
        assert told.returncode == 0, told.stderr
        return told.stdout

    def run_inside(
        self, app: App, *argv: str, text: str = "", **environment: str
    ) -> "subprocess.CompletedProcess[str]":
        path = str(self.driver.app_run(app))
        bare = {"PATH": "/usr/bin:/bin", **environment}
        return subprocess.run(
            [path, *argv], input=text, capture_output=True, text=True, errors="surrogateescape", check=False, env=bare,
            timeout=60,
        )  # fmt: skip

    def inspect(self, kind: str, *names: str) -> list[Any]:
        told: list[Any] = json.loads(self.engine.docker(kind, "inspect", *names))
        return told

    def objects(self, app: App) -> Mapping[str, Sequence[str]]:
        """Return all objects with the slot's mark or the stack's name, by kind."""
        ours, stacks = f"label=canon.slot={app.mark}", f"label=com.docker.stack.namespace={self.stack(app)}"
        found = {
            kind: self.engine.listed(kind, stacks) for kind in ("service", "volume", "network", "secret", "config")
        }
        found |= {kind: self.engine.listed(kind, stacks, ours) for kind in ("container", "image")}
        return {kind: sorted(names) for kind, names in found.items() if names}

    def clear(self) -> None:
        """Remove what is left of all the slots."""
        for mark in self.driver.leftovers(self.folder):
            self.driver.clear(mark)
        shutil.rmtree(self.folder, ignore_errors=True)


def absent(looked: RunningApp | NotRunning) -> str:
    assert isinstance(looked, NotRunning), looked
    return looked.reason
