"""Tests against recordings of Docker Engine 20.10.24 in each situation; `record_situations.py` made the recordings."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import pytest
from attrs import evolve

from reconciler.errors import CanonError, InfrastructureError, RecipeError, TimedOutError
from reconciler.host.swarm.services.service_health import StackHealth
from tests.host.swarm.recorded_services import AGAIN, EXIT, NAMES, RECORDINGS, Json, recorded, with_status


def test_the_recordings_are_of_the_engine_that_is_named() -> None:
    engines = {json.loads(path.read_text())["engine"] for path in RECORDINGS.glob("*.json")}
    assert engines == {"20.10.24+dfsg1"}


# ---- up ----


@pytest.mark.parametrize(
    "name", ["up", "healthy", "updated", "everywhere", "finished", "finished-on-failure", "job-finished"]
)
def test_a_service_is_up_once_it_has_run_for_a_while(name: str) -> None:
    assert recorded(name).later(30).settling() == StackHealth()


def test_a_task_that_has_just_begun_to_run_counts_for_nothing_yet() -> None:
    assert recorded("up").later(-0.5).settling().pending == "app has 0 of 1 up: its newest task is running: started"


@pytest.mark.parametrize(
    ("name", "pending"),
    [
        ("starting", "app has 0 of 1 up: its newest task is starting"),
        ("updating", "app is being updated"),
        ("no-node", "app has 0 of 1 up: its newest task is pending: no suitable node"),
        ("no-node-before", "app is being updated"),
        ("no-address", "app has 0 of 12 up: its newest task is "),
        ("port-taken", "app has 0 of 1 up: its newest task is "),
        ("crash-loop", "app has 0 of 1 up: its newest task is "),
    ],
)
def test_the_pending_text_names_the_task_of_a_service_that_is_not_up(name: str, pending: str) -> None:
    now = recorded(name).settling()
    assert now.pending.startswith(pending)
    assert now.failure is None


def test_a_service_without_a_task_is_pending() -> None:
    assert evolve(recorded("up"), tasks=()).settling().pending == "app has no task yet"


def test_a_task_that_starts_is_waited_for_however_long_it_takes() -> None:
    slow = recorded("starting").later(3600).settling()
    assert slow.pending
    assert slow.failure is None


UNHEALTHY = "task: non-zero exit (137): dockerexec: unhealthy container"
NO_MOUNT = 'invalid mount config for type "bind": bind source path does not exist: /nowhere/at/all'
ENDED = "failed and is not started again: "
NOBODY = "no suitable node "


# How many seconds after it was recorded it is a failure, of whom, and what is said of it.
FAILURES: Mapping[str, tuple[float, type, Sequence[str]]] = {
    "rolling-back": (
        0,
        RecipeError,
        ("Swarm rolled app back", "update rolled back due to failure", f", last task: {EXIT}"),
    ),
    "rolled-back": (3600, RecipeError, ("Swarm rolled app back", ": rollback completed", f", last task: {EXIT}")),
    "paused": (
        0,
        RecipeError,
        ("Swarm paused the update of app", "update paused due to failure", f", last task: {EXIT}"),
    ),
    "crash-loop": (31, RecipeError, (f"app {AGAIN}4 times by now: {EXIT}",)),
    "unhealthy": (31, TimedOutError, (f"app {AGAIN}3 times by now: {UNHEALTHY}",)),
    "no-mount": (31, RecipeError, (f"app {AGAIN}3 times by now: {NO_MOUNT}",)),
    # It was here when the stack was handed over.
    "no-image": (31, InfrastructureError, (f"app {AGAIN}3 times by now: No such image: 127.0.0.1:5000/none:1",)),
    "failed-once": (3, RecipeError, (f"migrate {ENDED}{EXIT}",)),
    "given-up": (3, RecipeError, (f"app {ENDED}{EXIT}",)),
    "port-taken": (15, InfrastructureError, ("no node takes ", f": {NOBODY}(host-mode port already in use on 1 node)")),
    "no-node": (15, InfrastructureError, (f"no node takes app: {NOBODY}(scheduling constraints not satisfied on ",)),
    "no-address": (60, InfrastructureError, ("a task of app stays in state new: Swarm finds no address for it",)),
}


@pytest.mark.parametrize("nth", range(4))
@pytest.mark.parametrize(
    ("limit", "kind", "said"),
    [
        (0, InfrastructureError, "the recipe sets no limit"),
        (20 * 2**20, RecipeError, "it may use at most 20.0 MiB"),
    ],
)
def test_a_task_that_ran_out_of_memory_blames_the_recipe_only_if_it_has_a_limit_of_its_own(
    limit: int, kind: type, said: str, nth: int
) -> None:
    told = recorded("crash-loop").later(31)
    limited = {"Resources": {"Limits": {"MemoryBytes": limit}}} if limit else {}
    tasks: list[Json] = [{**task, "Spec": {**task["Spec"], **limited}} for task in told.tasks]
    services: list[Json] = [
        {**one, "Spec": {**one["Spec"], "TaskTemplate": {**one["Spec"]["TaskTemplate"], **limited}}}
        for one in told.services
    ]
    # Not of each that it kills is it told.
    killed = [number for number, task in enumerate(tasks) if task["Status"]["State"] == "failed"][nth]
    tasks[killed] = {**tasks[killed], "OOMKilled": True}
    failure = evolve(told, services=services, tasks=tasks).settling().failure
    assert type(failure) is kind
    assert isinstance(failure, CanonError)
    assert failure.message == f"app {AGAIN}4 times by now: killed because memory ran out: {said}"
    assert failure.hint


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_that_does_not_go_away_by_waiting_is_named(name: str) -> None:
    later, kind, said = FAILURES[name]
    failure = recorded(name).later(later).settling().failure
    assert failure is not None
    assert type(failure) is kind
    assert [words for words in said if words not in failure.message] == []
    assert failure.hint or issubclass(kind, RecipeError)


@pytest.mark.parametrize("name", ["rolling-back", "rolled-back", "paused", "crash-loop", "given-up"])
def test_a_task_that_failed_for_want_of_room_blames_the_host_whatever_swarm_then_did(name: str) -> None:
    moment = recorded(name)
    full = "OCI runtime create failed: write /var/lib/docker/x: no space left on device"
    tasks = [
        {**task, "Status": {**task["Status"], "Err": full}} if task["Status"].get("Err") else task
        for task in moment.tasks
    ]
    failure = evolve(moment, tasks=tasks).later(60).settling().failure
    assert isinstance(failure, InfrastructureError)
    assert "no space left on device" in failure.message


def test_recordings_without_a_failure_have_none_however_long_the_wait() -> None:
    assert {name for name in NAMES if recorded(name).later(3600).failure()} == FAILURES.keys()


@pytest.mark.parametrize(
    "name", ["crash-loop", "unhealthy", "no-image", "no-mount", "failed-once", "given-up", "port-taken"]
)
def test_a_failure_is_reported_only_when_it_is_seen_again(name: str) -> None:
    assert recorded(name).later(-5).failure() == ""


def test_a_task_that_waits_for_the_port_of_a_stopping_task_is_waited_for() -> None:
    taken, before = recorded("port-taken").later(60), recorded("up")
    waits = next(task["ServiceID"] for task in taken.tasks if task["Status"]["State"] == "pending")
    spec = {**before.tasks[0]["Spec"], "ForceUpdate": 7}
    old = {**before.tasks[0], "ServiceID": waits, "DesiredState": "shutdown", "Spec": spec}
    assert evolve(taken, tasks=[*taken.tasks, old]).failure() == ""
    assert evolve(taken, tasks=[*taken.tasks, with_status(old, State="shutdown")]).failure() == taken.failure() != ""
    assert evolve(taken, tasks=[*taken.tasks, {**old, "DesiredState": "running"}]).failure() == taken.failure()


def test_tasks_that_fail_for_want_of_room_blame_the_host() -> None:
    recording = recorded("no-mount").later(31)
    full = [with_status(task, Err="failed to copy: no space left on device") for task in recording.tasks]
    assert evolve(recording, tasks=full).failure().startswith("InfrastructureError: app fails again and again")


def test_a_failed_task_is_waited_for_while_another_one_starts() -> None:
    loop, slow = recorded("crash-loop").later(600), recorded("starting")
    both = evolve(loop, services=[*loop.services, *slow.services], tasks=[*loop.tasks, *slow.tasks])
    assert loop.failure()
    assert both.failure() == ""


def test_a_task_that_came_up_has_to_run_longer_than_those_that_failed() -> None:
    loop = recorded("crash-loop")
    newest = max(loop.tasks, key=lambda task: str(task["CreatedAt"]))
    up = [with_status(task, State="running") if task is newest else task for task in loop.tasks]
    since = datetime.fromisoformat(newest["Status"]["Timestamp"])
    lasted = max(lasts(task) for task in loop.tasks if task["Status"]["State"] == "failed")
    assert timedelta(seconds=3) < lasted < timedelta(seconds=29)
    short, long = (
        evolve(loop, tasks=up, now=since + lasted + timedelta(seconds=more)).settling() for more in (-0.1, 0.1)
    )
    assert short.pending.startswith("app has 0 of 1 up: its newest task is running")
    assert short.failure is None
    assert long == StackHealth()


def lasts(task: Json) -> timedelta:
    return datetime.fromisoformat(task["Status"]["Timestamp"]) - datetime.fromisoformat(task["CreatedAt"])


def test_a_global_service_without_a_suitable_node_blames_the_host_after_a_while() -> None:
    told = evolve(recorded("everywhere"), tasks=())
    assert told.settling().failure is None
    assert told.later(60).failure() == (
        "InfrastructureError: no node takes app, which runs once on every node that its constraints allow"
    )
