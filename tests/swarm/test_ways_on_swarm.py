"""The way back and the stop of a release on the real Swarm, over an app that shows each kind."""

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cli.one_recipe_fleet import FIRST, SECOND, OneRecipeFleet
from tests.folders import entries_below
from tests.reconcile_command import BIN
from tests.repositories import UpstreamRepository
from tests.swarm.local_engine import LocalEngine
from tests.tiny_fleet import FLEET
from tests.ways_apps import CHECK, MARK, NEWER, OLDER

_PATIENCE = 900
# As process 1 of a container, a program that handles no SIGTERM ignores it.
_ENDS = "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n"
_RECIPE = """\
[recipe]
upstream = "file://{upstream}"
driver = "swarm"
[install.env]
{setting}
[ready]
timeout = "60s"
stable = "1s"
[data]
mark = ["python3", "-I", "-S", "mark.py", "POST"]
check = ["python3", "-I", "-S", "check.py", "GET"]
"""


def compose(version: str, app: str) -> bytes:
    """Return a compose file that runs the code `app`."""
    code = _ENDS + app.replace("127.0.0.1", "0.0.0.0")  # noqa: S104  within a container
    settings = {"PORT": "8000", "DATA_DIR": "/data", "VERSION": version, "OLDER": "${OLDER}", "NEWER": "${NEWER}"}
    service = {
        "image": "127.0.0.1:5000/faults:1",
        "command": ["-c", code.replace("$", "$$")],
        "environment": settings,
        "volumes": ["data:/data"],
        "stop_grace_period": "20s",
        "deploy": {
            "endpoint_mode": "dnsrr",
            "restart_policy": {"delay": "1s"},
            "labels": {"traefik.http.services.jot.loadbalancer.server.port": "8000"},
        },
    }
    return json.dumps({"version": "3.8", "services": {"app": service}, "volumes": {"data": {}}}).encode()


def declare(jot: OneRecipeFleet, setting: str = "") -> None:
    jot.declare()
    (jot.fleet / "fleet.toml").write_text(f'{FLEET}[environment]\npass = ["DOCKER_HOST"]\n')
    (jot.recipe / "recipe.toml").write_text(_RECIPE.format(upstream=jot.upstream.path, setting=setting))
    (jot.recipe / "mark.py").write_text(MARK)
    (jot.recipe / "check.py").write_text(CHECK)


@pytest.fixture(scope="module")
def jot(engine: LocalEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OneRecipeFleet]:
    """The app at its second release, upgraded from the first, on the engine."""
    folder = tmp_path_factory.mktemp("jot")
    variables = {"DOCKER_HOST": engine.host, "PATH": f"{BIN}:{engine.client}:{os.environ['PATH']}"}
    jot = OneRecipeFleet(folder, variables)
    UpstreamRepository.make(jot.upstream.path)
    for version, app in ((FIRST, OLDER), (SECOND, NEWER)):
        declare(jot)
        commit = jot.upstream.commit({"compose.yml": compose(version, app), ".env.sample": b"OLDER=\nNEWER=\n"})
        assert commit
        jot.upstream.tag(version)
        done = jot.run(timeout=_PATIENCE)
        assert done.code == 0, done
    yield jot
    assert engine.below(jot.state / "work") == frozenset()


def tried(jot: OneRecipeFleet, way: str) -> dict[str, Any]:
    """Try one way, and return its entry in the JSON document. What a busy host did not prove is tried once more."""
    found: dict[str, Any] = {}
    for _ in range(2):
        told = jot.run(f"--ways={way}", "-o", "json", "-q", timeout=_PATIENCE)
        assert told.code == 0, told
        [found] = told.row("jot")["ways"]
        if found["answer"] != "error":
            break
    assert found["answer"] in {"yes", "no"}, found
    return found


def test_an_open_way_back_and_a_clean_stop_are_told_with_the_measured_time(jot: OneRecipeFleet) -> None:
    before = jot.registry.read().canonicals, entries_below(jot.state / "canonicals")
    back, stop = tried(jot, "back"), tried(jot, "stop")
    assert (back["answer"], back["to"], back["proves_writes"]) == ("yes", FIRST, True), back
    assert (stop["answer"], stop["stop"]["grace"], stop["stop"]["exit_codes"]) == ("yes", 20.0, {"app": 0}), stop
    assert (jot.registry.read().canonicals, entries_below(jot.state / "canonicals")) == before


def test_a_way_back_over_which_older_data_is_lost_is_told_as_dangerous(jot: OneRecipeFleet) -> None:
    declare(jot, 'OLDER = "damages"')
    back = tried(jot, "back")
    assert (back["answer"], back["kind"], back["dangerous"]) == ("no", "damages", True), back


def test_a_release_that_writes_only_at_its_end_is_no_release_to_kill(jot: OneRecipeFleet) -> None:
    declare(jot, 'NEWER = "forgets"')
    stop = tried(jot, "stop")
    assert (stop["answer"], stop["kind"], stop["stop"]["exit_codes"]) == ("no", "unclean", {"app": 3}), stop
