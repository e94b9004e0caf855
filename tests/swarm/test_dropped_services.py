"""Releases on the real Swarm that no longer have a service of the release before."""

import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.errors import KilledError
from reconciler.ports.app import RemovalResult
from tests.swarm.local_engine import LocalEngine
from tests.swarm.stacks import SwarmSlots, options, release, server, service

VOLUMES = {"volumes": {"data": dict[str, object]()}}
NEVER_ENDS = "trap '' TERM; while :; do sleep 0.2; done"
ENDS_LATE = "trap 'sleep 8; touch /data/last; exit 0' TERM; while :; do sleep 0.2; done"


@pytest.fixture
def slots(engine: LocalEngine, tmp_path: Path) -> Iterator[SwarmSlots]:
    made = SwarmSlots.on(engine, tmp_path / "work")
    yield made
    made.clear()


def upgrade_that_drops(slots: SwarmSlots, folder: Path, script: str, grace: str, *volumes: str) -> None:
    """Deploy a release with a service `db` beside `app`, and then one with `app` alone."""
    app = slots.app()
    db = service(script, stop_grace_period=grace, volumes=[*volumes])
    slots.driver.deploy(app, release(folder / "one", {"app": server(), "db": db}, VOLUMES), options())
    slots.settled(app)
    slots.driver.deploy(app, release(folder / "two", {"app": server()}, VOLUMES), options("2.0.0+2"))


def test_a_deployment_is_over_only_when_a_service_that_it_drops_has_written_its_last(
    slots: SwarmSlots, tmp_path: Path
) -> None:
    app = slots.app()
    try:
        upgrade_that_drops(slots, tmp_path, ENDS_LATE, "1m", "data:/data")
        db = f"label=com.docker.swarm.service.name={slots.stack(app)}_db"
        assert slots.engine.docker("ps", "--quiet", "--filter", db) == ""
        slots.settled(app)
        assert slots.driver.stop(app).killed == ()
        saved = tmp_path / "saved"
        saved.mkdir()
        slots.driver.save(app, saved)
        with tarfile.open(saved / "volumes" / "data.tar") as archive:
            assert "data/last" in archive.getnames()
    finally:
        assert slots.driver.clear(app.mark) == RemovalResult()


def test_a_dropped_service_with_a_volume_that_has_to_be_killed_fails_the_deployment(
    slots: SwarmSlots, tmp_path: Path
) -> None:
    app = slots.app()
    try:
        with pytest.raises(KilledError, match=r"was killed, so its data may be cut off: db \(3 s\)"):
            upgrade_that_drops(slots, tmp_path, NEVER_ENDS, "3s", "data:/data")
    finally:
        assert slots.driver.clear(app.mark) == RemovalResult()


def test_a_dropped_service_without_a_volume_may_be_killed(slots: SwarmSlots, tmp_path: Path) -> None:
    app = slots.app()
    try:
        upgrade_that_drops(slots, tmp_path, NEVER_ENDS, "1s")
        assert slots.settled(app).killed == ()
    finally:
        assert slots.driver.clear(app.mark) == RemovalResult()
