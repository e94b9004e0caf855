"""How often the engine is asked for the objects of slots, and when an answer no longer counts."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from desired.model import Swarm
from reconciler.errors import RecipeError
from reconciler.host.swarm.services.slot_objects import SlotObjects
from reconciler.host.swarm.swarm_driver import SwarmDriver
from reconciler.ports.app import App, DeployOptions
from tests.host.swarm.engine_stand_in import Answer, Serve, gives

ROOT = Path("/var/lib/canon")
EMPTY = ("configs", "secrets", "networks", "containers/json", "images/json")


def service_of_slot(number: int) -> Mapping[str, Any]:
    labels = {"canon.slot": str(ROOT / "kept" / f"app-{number}"), "com.docker.stack.namespace": f"app-{number}"}
    spec = {
        "Name": f"app-{number}_app",
        "Labels": labels,
        "Mode": {"Replicated": {"Replicas": 1}},
        "TaskTemplate": {"ContainerSpec": {"Image": "nginx"}},
    }
    return {"ID": f"s{number}", "Spec": spec, "UpdatedAt": "2026-11-29T00:00:00Z"}


def task_of_slot(number: int) -> Mapping[str, Any]:
    return {
        "ID": f"t{number}",
        "ServiceID": f"s{number}",
        "CreatedAt": "2026-11-29T00:00:00Z",
        "DesiredState": "running",
        "Spec": {"ContainerSpec": {"Image": "nginx"}},
        "Status": {"State": "running", "Timestamp": "2026-11-29T00:00:00Z"},
    }


def answers_of(number: int) -> dict[str, Answer]:
    """Return the answers of an engine on which so many recipes are kept running."""
    found: dict[str, Answer] = {f"GET /{kind}": gives([]) for kind in EMPTY}
    found["GET /volumes"] = gives({"Volumes": []})
    found["GET /services"] = gives([*map(service_of_slot, range(number))])
    return {**found, "GET /tasks": gives([*map(task_of_slot, range(number))])}


@pytest.mark.parametrize(("number", "most"), [(1, 8), (10, 12)])
def test_a_pass_that_only_looks_asks_for_each_kind_once_however_many_recipes_run(
    serve: Serve, number: int, most: int
) -> None:
    stand_in = serve(answers_of(number))
    driver = SwarmDriver(stand_in.engine(), Swarm())
    kept = {str(ROOT / "kept" / f"app-{one}") for one in range(number)}
    assert {*driver.leftovers(ROOT)} == kept
    for _ in range(2):
        deployed = driver.deployed_parts(ROOT)
        assert ({*deployed}, {one.problem for one in deployed.values()}) == (kept, {""})
    assert len(stand_in.requests) <= most
    assert len({*stand_in.lines}) == len(stand_in.lines)


CHANGES: Mapping[str, Callable[[SwarmDriver, App], object]] = {
    "stop": lambda driver, app: driver.stop(app),
    "clear": lambda driver, app: driver.clear(app.mark),
    "deploy": lambda driver, app: driver.deploy(app, app.folder, DeployOptions("1.0.0", "c" * 40)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_after_a_change_nothing_is_answered_from_memory(serve: Serve, tmp_path: Path, change: str) -> None:
    stand_in = serve(answers_of(1))
    driver = SwarmDriver(stand_in.engine(), Swarm())
    assert driver.leftovers(ROOT) == (str(ROOT / "kept" / "app-0"),)
    stand_in.answers["GET /services"] = gives([])
    # There is no release to deploy.
    with suppress(RecipeError):
        CHANGES[change](driver, App("notes", tmp_path / "notes", str(tmp_path)))
    assert driver.leftovers(ROOT) == ()
    stand_in.answers["GET /services"] = gives([service_of_slot(0)])
    assert driver.leftovers(ROOT) != ()


def test_an_answer_counts_for_a_few_seconds_only(serve: Serve) -> None:
    stand_in, now = serve(answers_of(1)), [100.0]
    objects = SlotObjects(stand_in.engine(), clock=lambda: now[0])
    asked = list[int]()
    for seconds in (0.0, 1.0, 5.0, 0.0):
        now[0] += seconds
        objects.find("service")
        asked.append(len(stand_in.requests))
    assert asked == [1, 1, 2, 2]
