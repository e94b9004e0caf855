from datetime import timedelta

import pytest
from attrs import evolve

from reconciler.host.swarm.services.ended_tasks import ended_parts, running_parts
from reconciler.host.swarm.services.service import is_current
from reconciler.host.swarm.services.service_health import is_stopped
from tests.host.swarm.recorded_services import EXIT, NAMES, PREFIX, recorded, with_ends

# ---- what is up, and how what is over ended ----


@pytest.mark.parametrize("name", NAMES)
def test_every_ended_task_of_this_deployment_is_reported_as_ended_and_no_running_one(name: str) -> None:
    told = recorded(name)
    up, ended = running_parts(told.services, told.tasks, PREFIX), ended_parts(told.services, told.tasks, PREFIX)
    states = {task["ID"]: task["Status"]["State"] for task in told.tasks}
    assert {states[part.split()[1]] for part in up} <= {"running"}
    assert {states[part.split()[1]] for part in ended} <= {"failed", "rejected", "complete", "shutdown"}
    over = {"failed", "rejected", "complete"}
    current = {task["ID"] for service in told.services for task in told.tasks if is_current(service, task)}
    assert {part.split()[1] for part in ended} >= {task for task in current if states[task] in over}
    assert {ending.succeeded for part, ending in ended.items() if states[part.split()[1]] != "complete"} <= {False}


def test_how_a_task_ended_names_its_service_and_whether_the_host_is_to_blame() -> None:
    told = recorded("crash-loop")
    (failed,) = {ending.message for ending in ended_parts(told.services, told.tasks, PREFIX).values()}
    assert failed == f"app ended: {EXIT}"
    killed = evolve(told, tasks=[{**task, "OOMKilled": True} for task in told.tasks])
    assert {ending.is_host_fault for ending in ended_parts(killed.services, killed.tasks, PREFIX).values()} == {True}
    done = recorded("finished")
    (ending,) = ended_parts(done.services, done.tasks, PREFIX).values()
    assert (ending.message, ending.succeeded, ending.is_host_fault) == ("migrate ended: exit code 0", True, False)
    assert timedelta(0) < ending.duration < timedelta(seconds=30)
    (ran,) = ended_parts(done.services, with_ends(done, Ran=timedelta(seconds=2)).tasks, PREFIX).values()
    assert ran.duration == timedelta(seconds=2)


# ---- which tasks are of this deployment ----


@pytest.mark.parametrize("name", NAMES)
def test_tasks_of_this_deployment_are_those_that_run_what_its_service_says(name: str) -> None:
    recording = recorded(name)
    for service in recording.services:
        wanted = service["Spec"]["TaskTemplate"]["ContainerSpec"]
        for task in recording.tasks:
            if task["ServiceID"] == service["ID"]:
                same = task["Spec"]["ContainerSpec"]["Args"] == wanted["Args"]
                assert is_current(service, task) == same


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("part", ["Image", "Env", "Mounts", "Secrets", "Configs", "Healthcheck", "StopGracePeriod"])
def test_a_task_that_runs_anything_else_is_of_another_deployment(name: str, part: str) -> None:
    recording = recorded(name)
    for service in recording.services:
        template = service["Spec"]["TaskTemplate"]
        other = {**template, "ContainerSpec": {**template["ContainerSpec"], part: ["other"]}}
        changed = {**service, "Spec": {**service["Spec"], "TaskTemplate": other}}
        assert not any(is_current(changed, task) for task in recording.tasks)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("Resources", {"Limits": {"MemoryBytes": 64_000_000}}),
        ("Networks", [{"Target": "other"}]),
        ("LogDriver", {"Name": "none"}),
    ],
)
def test_a_task_with_other_resources_networks_or_log_driver_is_of_another_deployment(
    name: str, part: str, value: object
) -> None:
    recording = recorded(name)
    for service in recording.services:
        template = {**service["Spec"]["TaskTemplate"], part: value}
        changed = {**service, "Spec": {**service["Spec"], "TaskTemplate": template}}
        assert not any(is_current(changed, task) for task in recording.tasks)


def test_a_forced_update_of_a_service_gives_it_other_tasks() -> None:
    recording = recorded("up")
    (service,) = recording.services
    forced = {**service["Spec"]["TaskTemplate"], "ForceUpdate": 1}
    changed = {**service, "Spec": {**service["Spec"], "TaskTemplate": forced}}
    assert evolve(recording, services=[changed]).later(30).settling().pending == "app has no task yet"


# ---- at rest ----


def test_only_a_stack_that_is_scaled_to_zero_is_stopped() -> None:
    resting = {name for name in NAMES if is_stopped(recorded(name).services, recorded(name).tasks)}
    assert resting == {"at-rest"}


def test_a_stack_is_not_stopped_as_long_as_one_of_its_tasks_runs() -> None:
    assert not is_stopped(recorded("at-rest").services, recorded("up").tasks)
    assert is_stopped((), ())
