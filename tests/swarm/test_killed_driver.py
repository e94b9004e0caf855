"""The driver is killed in the middle of what it does; what then is left is found by its mark and can be removed."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import frozen

from reconciler.ports.app import App, RemovalResult
from tests.reconcile_command import wait_for_lock
from tests.swarm.killing_relay import killing_relay
from tests.swarm.local_engine import LocalEngine
from tests.swarm.stacks import SERVER, UNTIL_STOPPED, SwarmSlots, options, release, service

ROOT = Path(__file__).parents[2]
SAMPLE = "SECRET_TOKEN_VERSION=v1 # length=8\n"
PARTS = {
    "volumes": {"one": {}, "two": {}},
    "secrets": {"token": {"external": True, "name": "${STACK_NAME}_token_v1"}},
}
# Kills who called it where its first words are those of $AT, then does what it was asked, or nothing if $THEN is so.
SHIM = """\
#!/bin/sh
case "$*" in
    "$AT"*) kill -9 "$DOING"; [ "$THEN" = nothing ] && exit 1 ;;
esac
exec {real} "$@"
"""
# The calls of the engine at which the driver is killed, as the begin of a request.
CALLS = {
    "secret create": "POST /v[0-9.]+/secrets/create",
    "volume create": "POST /v[0-9.]+/volumes/create",
    "container create": "POST /v[0-9.]+/containers/create",
    "copy in": "PUT /v[0-9.]+/containers/[^/]+/archive",
    "copy out": "GET /v[0-9.]+/containers/[^/]+/archive",
    "volume rm": "DELETE /v[0-9.]+/volumes/",
}
# What the driver does when it is killed, at which call or command, and what comes of that call or command.
MOMENTS = (
    ("deploy", "secret create", "everything"),
    ("deploy", "stack deploy", "nothing"),
    ("deploy", "stack deploy", "everything"),
    ("load", "volume create", "everything"),
    ("load", "container create", "everything"),
    ("load", "copy in", "nothing"),
)


@frozen
class Deeds:
    """`app` rests, and what it was saved as lies in `saved`."""

    slots: SwarmSlots
    app: App
    checkout: Path
    saved: Path
    client: Path

    def killed(self, verb: str, slot: str, path: Path, at: str, then: str) -> None:
        """Let a process of its own do it, until it is killed; and wait for what outlived it, which holds the lock."""
        environment = {**os.environ, "PATH": f"{self.client}:{os.environ['PATH']}", "AT": at, "THEN": then}
        argv = [sys.executable, "-m", "tests.swarm.one_driver_call", verb, str(self.slots.folder / slot), str(path)]
        call = CALLS.get(at, "no call")
        with killing_relay(self.client / "relay.sock", self.slots.engine.host, call, then) as relay:
            environment["DOCKER_HOST"] = relay
            done = subprocess.run(
                argv, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=200
            )
        assert done.returncode == -signal.SIGKILL, done.stderr
        wait_for_lock(self.slots.folder / "lock", 200)


@pytest.fixture(scope="module")
def deeds(engine: LocalEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deeds]:
    folder = tmp_path_factory.mktemp("killed")
    slots = SwarmSlots.on(engine, folder / "work")
    shim = folder / "client" / "docker"
    shim.parent.mkdir()
    shim.write_text(SHIM.format(real=shutil.which("docker")))
    shim.chmod(0o755)
    made = service(UNTIL_STOPPED, secrets=["token"], volumes=["one:/one", "two:/two"], stop_grace_period="20s")
    made["deploy"]["labels"] = {SERVER: "80"}
    checkout = release(folder / "checkout", {"app": made}, PARTS, SAMPLE)
    app, saved = slots.app(token="secret"), folder / "saved"
    saved.mkdir()
    try:
        slots.driver.deploy(app, checkout, options())
        slots.settled(app)
        assert slots.driver.stop(app) == RemovalResult()
        slots.driver.save(app, saved)
        yield Deeds(slots, app, checkout, saved, shim.parent)
    finally:
        slots.clear()


@pytest.mark.parametrize(("verb", "at", "then"), MOMENTS)
def test_objects_of_a_killed_driver_are_found_and_removed(deeds: Deeds, verb: str, at: str, then: str) -> None:
    slots, name = deeds.slots, f"{verb} {at} {then}"
    deeds.killed(verb, name, deeds.checkout if verb == "deploy" else deeds.saved, at, then)
    app = slots.app(name)
    assert slots.objects(app)
    assert app.mark in slots.driver.leftovers(slots.folder)
    assert slots.driver.clear(app.mark) == RemovalResult()
    assert slots.objects(app) == {}
    assert app.mark not in slots.driver.leftovers(slots.folder)


def test_a_killed_save_hinders_no_later_one_and_its_remains_go_with_the_slot(deeds: Deeds, tmp_path: Path) -> None:
    slots = deeds.slots
    for at in ("container create", "copy out"):
        (tmp_path / at).mkdir()
        deeds.killed("save", Path(deeds.app.mark).name, tmp_path / at, at, "everything")
    (tmp_path / "whole").mkdir()
    slots.driver.save(deeds.app, tmp_path / "whole")
    names = {path.name for path in (tmp_path / "whole" / "volumes").iterdir()}
    assert names == {"one.tar", "two.tar"}
    assert len(slots.objects(deeds.app)["image"]) == 2
    assert slots.driver.clear(deeds.app.mark) == RemovalResult()
    assert slots.objects(deeds.app) == {}


def test_a_killed_removal_is_found_and_finished(deeds: Deeds) -> None:
    slots = deeds.slots
    app = slots.app("removed")
    slots.driver.load(app, deeds.saved)
    slots.driver.deploy(app, deeds.checkout, options())
    slots.wait_for_docker(app, lambda _, tasks: any(task["Status"]["State"] == "running" for task in tasks))
    deeds.killed("remove", "removed", deeds.saved, "volume rm", "nothing")
    assert app.mark in slots.driver.leftovers(slots.folder)
    assert slots.driver.clear(app.mark) == RemovalResult()
    assert slots.objects(app) == {}


def test_clearing_a_slot_leaves_no_container_although_no_other_object_needs_it(
    engine: LocalEngine, tmp_path: Path
) -> None:
    """One that has only a network of others and no volume, and whose process takes its time to end."""
    slots = SwarmSlots.on(engine, tmp_path / "work")
    made = service("trap '' TERM; sleep 1000", networks=["proxy"], stop_grace_period="20s")
    made["deploy"]["labels"] = {SERVER: "80"}
    app = slots.app()
    try:
        files = release(tmp_path / "one", {"app": made}, {"networks": {"proxy": {"external": True}}})
        slots.driver.deploy(app, files, options())
        slots.wait_for_docker(app, lambda _, tasks: any(task["Status"]["State"] == "running" for task in tasks))
        assert slots.driver.clear(app.mark) == RemovalResult()
        assert slots.objects(app) == {}
    finally:
        slots.clear()
