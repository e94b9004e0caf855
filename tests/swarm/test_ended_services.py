"""Services of the real Swarm that end by themselves: which of them count as finished, and which as dead."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.host.readiness.liveness import ended_since
from reconciler.ports.app import App, RunningApp
from tests.swarm.local_engine import LocalEngine
from tests.swarm.published_fleet import published_fleet
from tests.swarm.stacks import NGINX, PATIENCE, Service, SwarmSlots, absent, deployed, options, release, server, service

# Ends with 0 when it is asked to, as a failed health check has Swarm do.
POLITE = "trap 'exit 0' TERM; while :; do sleep 0.1; done"
GIVES_UP = {"test": ["CMD-SHELL", "false"], "interval": "1s", "retries": 2}


@pytest.fixture
def slots(engine: LocalEngine, tmp_path: Path) -> Iterator[SwarmSlots]:
    slots = SwarmSlots.on(engine, tmp_path / "slots")
    yield slots
    slots.clear()


def unhealthy(condition: str) -> Service:
    return service(POLITE, condition, healthcheck=GIVES_UP, stop_grace_period="20s")


@pytest.mark.parametrize("name", ["app", "worker"])
def test_a_service_that_ends_with_0_for_its_failed_health_check_is_no_finished_one_shot(
    slots: SwarmSlots, tmp_path: Path, name: str
) -> None:
    other = "worker" if name == "app" else "app"
    labels = server()["deploy"]
    policy = {"condition": "on-failure", "delay": "500ms"}
    broken = {**unhealthy("on-failure"), **deployed(labels=labels["labels"], restart_policy=policy)}
    services = {name: broken, other: server()}
    app = slots.app()
    slots.driver.deploy(app, release(tmp_path / "one", services), options())
    lost = slots.lost(app)
    assert lost.startswith(f"{name} failed and is not started again: ")
    assert "health" in lost
    slots.driver.remove(app)


def test_one_shots_that_succeed_are_done_and_a_later_end_is_reported(slots: SwarmSlots, tmp_path: Path) -> None:
    """The image of both one-shots has a health check of its own: they are over before it was asked."""
    once = {**service("", "on-failure", image=NGINX, entrypoint=["sh", "-c", "exit 0"]), "command": []}
    services = {
        "app": server(),
        "migrate": once,
        "seed": {**once, **deployed(restart_policy={"condition": "none"})},
        "crashing": service("sleep 20; exit 1"),
        "ending": service("sleep 20; exit 0"),
        "worker": service("sleep 25; exit 0", "on-failure"),
    }
    app = slots.app()
    slots.driver.deploy(app, release(tmp_path / "one", services), options())
    ready = slots.settled(app)
    assert sorted(part.split()[0] for part in ready.up) == ["app", "crashing", "ending", "worker"]
    assert ended_since(ready, ready) is None

    said = ended_message(slots, app, ready, 3)

    assert "crashing ended: task: non-zero exit (1)" in said
    assert "ending ended: exit code 0" in said
    assert "worker ended: exit code 0" in said
    assert "migrate" not in said
    assert "seed" not in said
    slots.driver.stop(app)
    assert absent(slots.driver.status(app)) == ""
    slots.driver.remove(app)


def ended_message(slots: SwarmSlots, app: App, ready: RunningApp, parts: int) -> str:
    """Wait until the message about ended services names `parts` of them, and return it."""
    until = time.monotonic() + PATIENCE
    while True:
        now = slots.driver.status(app)
        ending = ended_since(ready, now)
        if ending and ending.message.count(" ended: ") >= parts:
            assert not ending.is_host_fault
            return ending.message
        assert time.monotonic() < until, now
        time.sleep(0.5)


RECIPE = """\
[recipe]
upstream = "{forge}/dying.git"
driver = "swarm"
[ready]
stable = "40s"
timeout = "3m"
"""


def test_a_release_whose_worker_ends_again_and_again_is_red(engine: LocalEngine, tmp_path: Path) -> None:
    with published_fleet(tmp_path, engine, []) as world:
        upstream = world.forge.repository("dying")
        services = {"app": server(), "worker": service("sleep 12; exit 1")}
        upstream.commit({"compose.yml": json.dumps({"version": "3.8", "services": services}).encode()})
        upstream.tag("1.0.0+1")
        folder = world.canon.fleet / "recipes" / "dying"
        folder.mkdir()
        (folder / "recipe.toml").write_text(RECIPE.format(forge=world.forge.url))

        told = world.json()

        row = told.row("dying")
        assert (told.code, row["result"]) == (4, "red"), told.out
        assert "dying 1.0.0+1 was ready and did not stay up: worker ended: task: non-zero exit (1)" in row["reason"]
        assert world.recorded() == {}
        assert world.left() == frozenset()
