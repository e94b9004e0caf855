"""Stacks that do not come up on the real Swarm, side by side: each is named for what it is, and none is settled."""

import socket
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from attrs import frozen

from reconciler.errors import InfrastructureError, RecipeError, TimedOutError
from reconciler.host.processes.listeners import free_port
from reconciler.ports.app import App, RemovalResult
from tests.swarm.failing_app import LABELS, app
from tests.swarm.local_engine import LocalEngine
from tests.swarm.stacks import (
    POSTGRES,
    SERVER,
    UNTIL_STOPPED,
    Service,
    SwarmSlots,
    absent,
    deployed,
    options,
    release,
    server,
    service,
)


def updated(script: str, action: str) -> Service:
    return app(script, update_config={"failure_action": action, "monitor": "60s"})


UP = app("sleep 1000")
UNHEALTHY = {"healthcheck": {"test": ["CMD", "false"], "interval": "1s", "retries": 2}}


# The services of each deployment in turn.
LOST: Mapping[str, tuple[list[Mapping[str, Service]], str]] = {
    "rolled-back": (
        [{"app": updated("sleep 1000", "rollback")}, {"app": updated("exit 3", "rollback")}],
        "Swarm rolled app back to what ran before",
    ),
    "paused": (
        [{"app": updated("sleep 1000", "pause")}, {"app": updated("exit 3", "pause")}],
        "Swarm paused the update of app: update paused due to failure",
    ),
    "crash-loop": ([{"app": app("exit 3"), "db": service("sleep 1000")}], "app fails again and again"),
    "unhealthy": ([{"app": {**UP, **UNHEALTHY}}], "dockerexec: unhealthy container"),
    "no-mount": ([{"app": {**UP, "volumes": ["./missing:/data:ro"]}}], "bind source path does not exist"),
    "starved": (
        [{"app": app("exec perl -e '$$all = q(a) x 1e9'", resources={"limits": {"memory": "20M"}})}],
        "times by now: killed because memory ran out: it may use at most 20.0 MiB",
    ),
    "failed-once": ([{"app": UP, "migrate": service("exit 3", "none")}], "migrate failed and is not started again"),
    "given-up": (
        [{"app": app("exit 3", restart_policy={"delay": "0s", "max_attempts": 1})}],
        "app failed and is not started again: task: non-zero exit (3)",
    ),
}
TAKEN = {"target": 80, "mode": "host"}


def waiting(taken: int, free: int) -> Mapping[str, tuple[Mapping[str, Service], str]]:
    """Stacks that Swarm cannot place, and one whose port somebody else has who is none of Swarm's."""
    narrow = deployed(replicas=12, labels=LABELS)
    constrained = deployed(labels=LABELS, placement={"constraints": ["node.labels.disk == ssd"]})
    twice = {"ports": [{**TAKEN, "published": free}]}
    return {
        "no-node": ({"app": {**UP, **constrained}}, "no node takes app: no suitable node (scheduling constraints"),
        "one-port": (
            {"app": {**UP, **twice}, "two": {**service("sleep 1000"), **twice}},
            "host-mode port already in use",
        ),
        "no-address": ({"app": {**UP, **narrow, "networks": ["narrow"]}}, "stays in state new"),
        "port-of-others": ({"app": {**UP, "ports": [{**TAKEN, "published": taken}]}}, "address already in use"),
    }


@frozen
class Troubles:
    """All stacks of the module, in one slot; at the first of two ports a process of ours listens."""

    slots: SwarmSlots
    folder: Path
    ports: tuple[int, int]

    def app(self, name: str) -> App:
        return self.slots.app("troubles", name)

    def deploy(self, name: str, services: Mapping[str, Service], number: int = 1) -> None:
        networks = NARROW if name == "no-address" else {}
        files = release(self.folder / name / str(number), services, {"networks": networks})
        self.slots.driver.deploy(self.app(name), files, options(f"{number}.0.0"))


NARROW = {"narrow": {"ipam": {"config": [{"subnet": "10.212.0.0/29"}]}}}


@pytest.fixture(scope="module")
def troubles(engine: LocalEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Troubles]:
    folder = tmp_path_factory.mktemp("troubles")
    slots = SwarmSlots.on(engine, folder / "work")
    taken = free_port()
    with socket.create_server(("", taken)):
        made = Troubles(slots, folder, (taken, free_port()))
        try:
            for name, (steps, _) in LOST.items():
                made.deploy(name, steps[0])
            for name, (services, _) in waiting(*made.ports).items():
                made.deploy(name, services)
            for name, (steps, _) in LOST.items():
                for number, services in enumerate(steps[1:], start=2):
                    slots.settled(made.app(name))
                    made.deploy(name, services, number)
            yield made
            assert slots.driver.clear(made.app("any").mark) == RemovalResult()
            assert not any(slots.objects(made.app(name)) for name in LOST)
        finally:
            slots.clear()


@pytest.mark.parametrize("name", LOST)
def test_an_app_that_does_not_come_up_fails_and_is_never_up(troubles: Troubles, name: str) -> None:
    _, said = LOST[name]
    assert said in troubles.slots.lost(troubles.app(name))


def test_the_reason_of_a_rollback_by_swarm_is_reported(troubles: Troubles) -> None:
    assert "task: non-zero exit (3)" in troubles.slots.lost(troubles.app("rolled-back"))


@pytest.mark.parametrize("name", waiting(0, 0))
def test_a_task_that_swarm_cannot_place_blames_the_host(troubles: Troubles, name: str) -> None:
    _, said = waiting(*troubles.ports)[name]
    with pytest.raises(InfrastructureError) as failure:
        troubles.slots.lost(troubles.app(name))
    assert said in failure.value.message
    assert failure.value.hint


def test_a_service_that_finished_its_only_task_is_up(troubles: Troubles) -> None:
    files = {"app": UP, "migrate": service("echo done", "none"), "tidy": service("true", "on-failure")}
    troubles.deploy("finished", files)
    assert troubles.slots.settled(troubles.app("finished")).failure == ""
    assert "migrate: done" in troubles.slots.driver.logs(troubles.app("finished"))


def test_a_global_service_is_stopped_for_a_restore_and_is_up_again_on_the_restored_data(
    engine: LocalEngine, tmp_path: Path
) -> None:
    script = f"cp /data/note /tmp/found; {UNTIL_STOPPED}"
    everywhere = service(script, volumes=["data:/data"], stop_grace_period="20s", **deployed(mode="global"))
    front = server()
    front["deploy"]["labels"] = {SERVER: "80", "backupbot.backup": "true"}
    slots = SwarmSlots.on(engine, tmp_path / "work")
    app = slots.app()
    try:
        files = release(tmp_path / "one", {"app": front, "everywhere": everywhere}, {"volumes": {"data": {}}})
        slots.driver.deploy(app, files, options())
        slots.settled(app)
        noted(slots, app, "echo first >/data/note")
        (tmp_path / "kept").mkdir()
        slots.driver.backup(app, tmp_path / "kept")
        noted(slots, app, "echo second >/data/note")

        slots.driver.restore(app, tmp_path / "kept", timedelta(minutes=2))

        slots.settled(app)
        assert noted(slots, app, "cat /tmp/found /data/note") == "first\nfirst"
        assert slots.driver.stop(app) == RemovalResult()
        assert slots.driver.backs_up(app)
        assert absent(slots.driver.status(app)) == ""
    finally:
        assert slots.driver.clear(app.mark) == RemovalResult()


def test_an_app_that_is_not_up_in_time_on_restored_data_is_late_and_not_red(
    engine: LocalEngine, tmp_path: Path
) -> None:
    labels = {"backupbot.backup": "true", "backupbot.restore.post-hook": "true"}
    script = f"test ! -e /data/note || sleep 5; touch /tmp/up; {UNTIL_STOPPED}"
    slow = service(script, volumes=["data:/data"], stop_grace_period="20s")
    slow |= {"healthcheck": {"test": ["CMD", "test", "-e", "/tmp/up"], "interval": "1s", "start_period": "1m"}}
    slow |= deployed(labels=labels)
    slots = SwarmSlots.on(engine, tmp_path / "work")
    app = slots.app()
    try:
        files = release(tmp_path / "one", {"app": server(), "everywhere": slow}, {"volumes": {"data": {}}})
        slots.driver.deploy(app, files, options())
        slots.settled(app)
        noted(slots, app, "echo first >/data/note")
        (tmp_path / "kept").mkdir()
        slots.driver.backup(app, tmp_path / "kept")
        with pytest.raises(TimedOutError, match="not up again after 2 s: everywhere has 0 of 1 up"):
            slots.driver.restore(app, tmp_path / "kept", timedelta(seconds=2))
    finally:
        assert slots.driver.clear(app.mark) == RemovalResult()


def test_a_backup_of_what_no_hook_wrote_blames_the_recipe_by_the_label_and_its_path(
    engine: LocalEngine, tmp_path: Path
) -> None:
    front = server(volumes=["data:/data"])
    front["deploy"]["labels"] |= {"backupbot.backup": "true", "backupbot.backup.volumes.data.path": "dump.sql"}
    slots = SwarmSlots.on(engine, tmp_path / "work")
    app = slots.app()
    try:
        slots.driver.deploy(app, release(tmp_path / "one", {"app": front}, {"volumes": {"data": {}}}), options())
        slots.settled(app)
        (tmp_path / "kept").mkdir()
        with pytest.raises(RecipeError, match=r"its labels back up dump\.sql of volume data, which is not there"):
            slots.driver.backup(app, tmp_path / "kept")
    finally:
        assert slots.driver.clear(app.mark) == RemovalResult()


def test_volumes_without_a_name_go_with_the_app(engine: LocalEngine, tmp_path: Path) -> None:
    """The image of the database declares one, which the stack does not name."""
    slots = SwarmSlots.on(engine, tmp_path / "work")
    app = slots.app()
    idle = {"image": POSTGRES, "entrypoint": ["sleep", "1000"], "healthcheck": {"disable": True}, **deployed()}
    files = release(tmp_path / "one", {"app": server(), "db": idle})
    try:
        slots.driver.deploy(app, files, options())
        slots.settled(app)
        mounted = slots.engine.docker("ps", "--quiet", "--filter", f"name={slots.stack(app)}_db")
        (mount,) = slots.inspect("container", mounted)[0]["Mounts"]
        assert slots.engine.listed("volume", f"name={mount['Name']}")
    finally:
        assert slots.driver.remove(app) == RemovalResult()
    assert not slots.engine.listed("volume", f"name={mount['Name']}")


def noted(slots: SwarmSlots, app: App, script: str) -> str:
    """What a script in the one container of the service `everywhere` prints."""
    name = f"label=com.docker.swarm.service.name={slots.stack(app)}_everywhere"
    container = slots.engine.docker("ps", "--quiet", "--filter", name)
    return slots.engine.docker("exec", container, "sh", "-c", script)
