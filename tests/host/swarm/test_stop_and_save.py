"""A stack whose services are all stopped or gone, while a container of a service that a release dropped still runs."""

from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from desired.model import Swarm
from reconciler.errors import InfrastructureError
from reconciler.host import app_directory
from reconciler.host.swarm.swarm_driver import SwarmDriver
from reconciler.ports.app import App
from tests.host.swarm.engine_stand_in import Answer, EngineRequest, Serve, gives, sends

# The answer to a list of a stack's running containers has the label of their service.
WRITES_ON = {"Id": "c1", "Labels": {"com.docker.swarm.service.name": "stack_db"}}


@pytest.fixture
def app(tmp_path: Path) -> App:
    made = App("notes", tmp_path / "slot" / "notes", str(tmp_path / "slot"))
    app_directory.create_folders(made)
    return made


def answers_with_containers(containers: Answer) -> dict[str, Answer]:
    """Return the answers of an engine that lists no services, but these containers."""
    nothing: dict[str, Answer] = {f"GET /{kind}": gives([]) for kind in ("services", "tasks")}
    volumes = gives({"Volumes": []})
    return {**nothing, "GET /volumes": volumes, "GET /events": sends(b""), "GET /containers/json": containers}


def test_nothing_is_saved_while_a_container_of_a_service_that_is_gone_still_runs(
    serve: Serve, app: App, tmp_path: Path
) -> None:
    driver = SwarmDriver(serve(answers_with_containers(gives([WRITES_ON]))).engine(), Swarm())
    saved = tmp_path / "saved"
    saved.mkdir()
    with pytest.raises(InfrastructureError, match="notes: still runs, so its data cannot be saved"):
        driver.save(app, saved)
    assert not [*saved.iterdir()]


def test_a_stop_waits_for_the_containers_of_services_that_are_gone(serve: Serve, app: App) -> None:
    """The container ends between the sixth and the seventh look at it."""
    left = [gives([WRITES_ON])] * 6

    def containers(handler: BaseHTTPRequestHandler, request: EngineRequest) -> None:
        (left.pop() if left else gives([]))(handler, request)

    driver = SwarmDriver(serve(answers_with_containers(containers)).engine(), Swarm())
    driver.stop(app)
    assert not left
