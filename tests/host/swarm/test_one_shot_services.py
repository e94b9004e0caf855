from collections.abc import Mapping

import pytest
from attrs import evolve

from reconciler.errors import RecipeError
from reconciler.host.swarm.services.service_health import StackHealth
from tests.host.swarm.recorded_services import AGAIN, PREFIX, Json, Recording, recorded, with_ends, with_status

# ---- what came to a good end ----


def with_service(recording: Recording, name: str, **spec: object) -> Recording:
    """With parts of the named service's Spec replaced, and of the container's where they are the container's."""
    changed: list[Json] = []
    for service in recording.services:
        if service["Spec"]["Name"] == f"{PREFIX}{name}":
            template = service["Spec"]["TaskTemplate"]
            container = {**template["ContainerSpec"], **{key: spec.pop(key) for key in ("Healthcheck",) if key in spec}}
            laid = {**service["Spec"], **spec, "TaskTemplate": {**template, "ContainerSpec": container}}
            changed.append({**service, "Spec": laid})
        else:
            changed.append(service)
    by_id = {service["ID"]: service for service in changed}
    tasks = [
        {
            **task,
            "Spec": {
                **task["Spec"],
                "ContainerSpec": by_id[task["ServiceID"]]["Spec"]["TaskTemplate"]["ContainerSpec"],
            },
        }
        for task in recording.tasks
    ]
    return evolve(recording, services=changed, tasks=tasks)


BEARS: Mapping[str, Mapping[str, object]] = {
    "a health check": {"Healthcheck": {"Test": ["CMD-SHELL", "true"]}},
    "a published port": {"EndpointSpec": {"Ports": [{"TargetPort": 80, "PublishedPort": 8080}]}},
    "a port for a proxy": {"Labels": {"traefik.http.services.x.loadbalancer.server.port": "80"}},
}


@pytest.mark.parametrize("name", ["finished", "finished-on-failure"])
@pytest.mark.parametrize("what", BEARS)
def test_a_service_with_a_health_check_or_a_port_is_no_one_shot(name: str, what: str) -> None:
    served = with_service(recorded(name).later(60), "migrate", **BEARS[what]).settling()
    assert served.pending == "migrate has 0 of 1 up: its newest task is complete: exit code 0"
    assert isinstance(served.failure, RecipeError)
    assert served.failure.message == "migrate failed and is not started again: exit code 0"


@pytest.mark.parametrize("name", ["finished", "finished-on-failure"])
def test_a_task_stopped_by_a_failed_health_check_did_not_succeed_although_it_ended_with_0(name: str) -> None:
    stopped = with_ends(recorded(name).later(60), Unhealthy=True).settling()
    assert stopped.pending.endswith(
        "has 0 of 1 up: its newest task is complete: exit code 0, after its health check had failed"
    )
    assert isinstance(stopped.failure, RecipeError)


@pytest.mark.parametrize("name", ["finished", "finished-on-failure"])
def test_a_task_that_passed_its_images_health_check_was_no_one_shot(name: str) -> None:
    assert with_ends(recorded(name).later(60), Healthy=True).settling().failure
    assert with_ends(recorded(name).later(60), Healthy=False, Unhealthy=False).settling() == StackHealth()


def test_a_service_that_switches_off_its_health_check_counts_as_one_without() -> None:
    off = with_service(recorded("finished").later(60), "migrate", Healthcheck={"Test": ["NONE"]})
    assert off.settling() == StackHealth()


def test_a_job_that_still_runs_is_waited_for() -> None:
    done = recorded("job-finished")
    running = [
        with_status(task, State="running") if task["Status"]["State"] == "complete" else task for task in done.tasks
    ]
    assert evolve(done, tasks=running).later(3600).settling().pending.startswith("job has 0 of 1 up")


def test_a_server_that_ends_with_0_again_and_again_fails_like_one_with_another_code() -> None:
    loop = recorded("crash-loop").later(31)
    ended = [
        with_status(task, State="complete", Err="") if task["Status"]["State"] == "failed" else task
        for task in loop.tasks
    ]
    assert evolve(loop, tasks=ended).failure() == f"RecipeError: app {AGAIN}4 times by now: exit code 0"
