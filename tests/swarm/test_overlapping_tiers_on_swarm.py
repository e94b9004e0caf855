"""Where two apps of a recipe may be up, the app of a later tier comes up on the Swarm while an earlier tier runs."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cli.one_recipe_fleet import FIRST, SECOND, OneRecipeFleet
from tests.reconcile_command import BIN
from tests.repositories import UpstreamRepository
from tests.swarm.local_engine import LocalEngine
from tests.tiny_fleet import FLEET
from tests.ways_apps import CHECK, MARK, OLDER

_PATIENCE = 900
_STACK = "com.docker.stack.namespace"
_RECIPE = """\
[recipe]
upstream = "file://{upstream}"
driver = "swarm"
[ready]
timeout = "60s"
stable = "1s"
[data]
mark = ["python3", "-I", "-S", "mark.py", "POST"]
check = ["python3", "-I", "-S", "check.py", "GET"]
[backup]
take = ["sh", "-c", "$APP_RUN tar -C / -c data >$BACKUP_DIR/data.tar"]
restore = ["sh", "-c", "$APP_RUN tar -C / -x <$BACKUP_DIR/data.tar"]
"""


def compose(version: str) -> bytes:
    """Return a compose file of a small app."""
    code = "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n" + OLDER
    service = {
        "image": "127.0.0.1:5000/faults:1",
        "command": ["-c", code.replace("127.0.0.1", "0.0.0.0").replace("$", "$$")],  # noqa: S104  within a container
        "environment": {"PORT": "8000", "DATA_DIR": "/data", "VERSION": version},
        "volumes": ["data:/data"],
        "deploy": {
            "endpoint_mode": "dnsrr",
            "labels": {"traefik.http.services.jot.loadbalancer.server.port": "8000"},
        },
    }
    return json.dumps({"version": "3.8", "services": {"app": service}, "volumes": {"data": {}}}).encode()


@contextmanager
def stacks_at_once(engine: LocalEngine, recipe: str) -> Iterator[list[frozenset[str]]]:
    """Yield a list that has, once the `with` block has ended, the stacks that were up at each start of a container.

    Only stacks of `recipe` count. They are taken from the engine's events.
    """
    argv = [str(engine.client / "docker"), "events", "--format", "{{json .}}", "--filter", "type=container"]
    argv += ["--filter", "event=start", "--filter", "event=die"]
    seen: list[frozenset[str]] = []
    with subprocess.Popen(argv, env=engine.environment, stdout=subprocess.PIPE, text=True) as events:
        try:
            yield seen
        finally:
            events.terminate()
        told = events.communicate()[0].splitlines()
    running: set[str] = set()
    for event in map(json.loads, told):
        stack = event["Actor"]["Attributes"].get(_STACK, "")
        if recipe in stack:
            running ^= {stack}
            seen += [frozenset(running)] if event["Action"] == "start" else []


def test_the_base_comes_up_beside_the_fresh_install_and_the_restored_app_during_the_backup(
    engine: LocalEngine, tmp_path: Path
) -> None:
    variables = {"DOCKER_HOST": engine.host, "PATH": f"{BIN}:{engine.client}:{os.environ['PATH']}"}
    fleet = OneRecipeFleet(tmp_path, variables)
    UpstreamRepository.make(fleet.upstream.path)
    fleet.declare()
    (fleet.fleet / "fleet.toml").write_text(f'{FLEET}[environment]\npass = ["DOCKER_HOST"]\n')
    (fleet.recipe / "recipe.toml").write_text(_RECIPE.format(upstream=fleet.upstream.path))
    (fleet.recipe / "mark.py").write_text(MARK)
    (fleet.recipe / "check.py").write_text(CHECK)
    for version in (FIRST, SECOND):
        assert fleet.upstream.commit({"compose.yml": compose(version), ".env.sample": b""})
        fleet.upstream.tag(version)
    with stacks_at_once(engine, "jot") as seen:
        done = fleet.run("-o", "json", "-q", timeout=_PATIENCE)
    assert (done.code, done.row("jot")["result"]) == (0, "promoted"), done
    assert sum(len(stacks) == 2 for stacks in seen) >= 2, seen
    assert max(map(len, seen)) == 2, seen
    assert engine.below(fleet.state / "work") == frozenset()
