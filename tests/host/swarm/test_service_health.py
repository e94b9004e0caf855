"""Tests against recordings of Docker Engine 20.10.24 in each situation; `record_situations.py` made the recordings."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, frozen
from hypothesis import event, given
from hypothesis import strategies as st

from reconciler.errors import CanonError, InfrastructureError, RecipeError, TimedOutError
from reconciler.host.swarm.services.ended_tasks import ended_parts, running_parts
from reconciler.host.swarm.services.service import is_current, service_of
from reconciler.host.swarm.services.service_health import StackHealth, is_stopped, stack_health

Json = Mapping[str, Any]

RECORDINGS = Path(__file__).parent / "recordings"
NAMES = sorted(path.stem for path in RECORDINGS.glob("*.json"))
PREFIX = "canon-recording_"


@frozen
class Recording:
    services: Sequence[Json]
    tasks: Sequence[Json]
    now: datetime

    def later(self, seconds: float) -> "Recording":
        return evolve(self, now=self.now + timedelta(seconds=seconds))

    def settling(self) -> StackHealth:
        return stack_health(self.services, self.tasks, PREFIX, self.now)

    def failure(self) -> str:
        """The failure's kind and message."""
        failure = self.settling().failure
        return f"{type(failure).__name__}: {failure.message}" if failure else ""


@cache
def recorded(name: str) -> Recording:
    told = json.loads((RECORDINGS / f"{name}.json").read_text())
    return Recording(told["services"], told["tasks"], datetime.fromisoformat(told["now"]))


def test_the_recordings_are_of_the_engine_that_is_told_of() -> None:
    engines = {json.loads(path.read_text())["engine"] for path in RECORDINGS.glob("*.json")}
    assert engines == {"20.10.24+dfsg1"}


# ---- up ----


@pytest.mark.parametrize(
    "name", ["up", "healthy", "updated", "everywhere", "finished", "finished-on-failure", "job-finished"]
)
def test_what_is_up_has_settled_once_it_was_up_for_a_while(name: str) -> None:
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


# ---- failures ----


EXIT = "task: non-zero exit (3)"
UNHEALTHY = "task: non-zero exit (137): dockerexec: unhealthy container"
NO_MOUNT = 'invalid mount config for type "bind": bind source path does not exist: /nowhere/at/all'
AGAIN = "fails again and again, "
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
        (20 * 2**20, RecipeError, "it may use at most 20 MiB"),
    ],
)
def test_what_the_kernel_killed_for_want_of_memory_blames_the_recipe_only_for_a_limit_of_its_own(
    limit: int, kind: type, said: str, nth: int
) -> None:
    told = recorded("crash-loop").later(31)
    limited = {"Resources": {"Limits": {"MemoryBytes": limit}}} if limit else {}
    tasks: list[Json] = [{**task, "Spec": {**task["Spec"], **limited}} for task in told.tasks]
    # Not of each that it kills is it told.
    killed = [number for number, task in enumerate(tasks) if task["Status"]["State"] == "failed"][nth]
    tasks[killed] = {**tasks[killed], "OOMKilled": True}
    failure = evolve(told, tasks=tasks).settling().failure
    assert type(failure) is kind
    assert isinstance(failure, CanonError)
    assert failure.message == f"app {AGAIN}4 times by now: killed because memory ran out: {said}"
    assert failure.hint


@pytest.mark.parametrize("name", FAILURES)
def test_what_waiting_will_not_mend_is_named(name: str) -> None:
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


def test_every_recording_but_those_of_failures_has_none_however_long_one_waits() -> None:
    assert {name for name in NAMES if recorded(name).later(3600).failure()} == FAILURES.keys()


@pytest.mark.parametrize(
    "name", ["crash-loop", "unhealthy", "no-image", "no-mount", "failed-once", "given-up", "port-taken"]
)
def test_a_failure_is_reported_only_when_it_is_seen_again(name: str) -> None:
    assert recorded(name).later(-5).failure() == ""


def test_one_that_waits_for_the_port_of_an_earlier_one_that_is_still_to_stop_is_waited_for() -> None:
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


def test_one_that_fails_while_another_is_on_its_way_is_waited_for() -> None:
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


def with_status(task: Json, **status: object) -> Json:
    return {**task, "Status": {**task["Status"], **status}}


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


def with_ends(recording: Recording, **told: object) -> Recording:
    """With what the containers of tasks that are complete tell beside."""
    return evolve(
        recording,
        tasks=[{**task, **told} if task["Status"]["State"] == "complete" else task for task in recording.tasks],
    )


BEARS: Mapping[str, Mapping[str, object]] = {
    "a health check": {"Healthcheck": {"Test": ["CMD-SHELL", "true"]}},
    "a published port": {"EndpointSpec": {"Ports": [{"TargetPort": 80, "PublishedPort": 8080}]}},
    "a port for a proxy": {"Labels": {"traefik.http.services.x.loadbalancer.server.port": "80"}},
}


@pytest.mark.parametrize("name", ["finished", "finished-on-failure"])
@pytest.mark.parametrize("what", BEARS)
def test_what_bears_a_health_check_or_a_port_is_no_one_shot_that_finished_well(name: str, what: str) -> None:
    served = with_service(recorded(name).later(60), "migrate", **BEARS[what]).settling()
    assert served.pending == "migrate has 0 of 1 up: its newest task is complete: exit code 0"
    assert isinstance(served.failure, RecipeError)
    assert served.failure.message == "migrate failed and is not started again: exit code 0"


@pytest.mark.parametrize("name", ["finished", "finished-on-failure"])
def test_a_program_that_a_failed_health_check_had_stopped_did_not_finish_well_though_it_ended_with_0(name: str) -> None:
    stopped = with_ends(recorded(name).later(60), Unhealthy=True).settling()
    assert stopped.pending.endswith(
        "has 0 of 1 up: its newest task is complete: exit code 0, after its health check had failed"
    )
    assert isinstance(stopped.failure, RecipeError)


@pytest.mark.parametrize("name", ["finished", "finished-on-failure"])
def test_what_passed_its_images_health_check_was_a_service_and_no_one_shot(name: str) -> None:
    assert with_ends(recorded(name).later(60), Healthy=True).settling().failure
    assert with_ends(recorded(name).later(60), Healthy=False, Unhealthy=False).settling() == StackHealth()


def test_a_health_check_that_a_service_switches_off_is_none() -> None:
    off = with_service(recorded("finished").later(60), "migrate", Healthcheck={"Test": ["NONE"]})
    assert off.settling() == StackHealth()


def test_a_job_that_still_runs_is_waited_for() -> None:
    done = recorded("job-finished")
    running = [
        with_status(task, State="running") if task["Status"]["State"] == "complete" else task for task in done.tasks
    ]
    assert evolve(done, tasks=running).later(3600).settling().pending.startswith("job has 0 of 1 up")


def test_one_that_ends_with_0_again_and_again_fails_as_one_that_ends_with_another_code() -> None:
    loop = recorded("crash-loop").later(31)
    ended = [
        with_status(task, State="complete", Err="") if task["Status"]["State"] == "failed" else task
        for task in loop.tasks
    ]
    assert evolve(loop, tasks=ended).failure() == f"RecipeError: app {AGAIN}4 times by now: exit code 0"


# ---- what is up, and how what is over ended ----


@pytest.mark.parametrize("name", NAMES)
def test_every_task_of_this_deployment_that_is_over_is_told_to_have_ended_and_none_that_runs(name: str) -> None:
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


def test_a_service_that_was_started_anew_by_force_has_other_tasks() -> None:
    recording = recorded("up")
    (service,) = recording.services
    forced = {**service["Spec"]["TaskTemplate"], "ForceUpdate": 1}
    changed = {**service, "Spec": {**service["Spec"], "TaskTemplate": forced}}
    assert evolve(recording, services=[changed]).later(30).settling().pending == "app has no task yet"


# ---- at rest ----


def test_what_is_scaled_to_zero_is_at_rest_and_nothing_else_is() -> None:
    resting = {name for name in NAMES if is_stopped(recorded(name).services, recorded(name).tasks)}
    assert resting == {"at-rest"}


def test_one_is_not_at_rest_as_long_as_a_task_is_not_gone() -> None:
    assert not is_stopped(recorded("at-rest").services, recorded("up").tasks)
    assert is_stopped((), ())


# ---- properties ----

GOING = ["new", "pending", "preparing", "starting"]
MOODS = {
    "well": ["running", "running", "running", "complete", "preparing"],
    "crashing": ["failed", "failed", "failed", "failed", "failed", "rejected", "preparing"],
    "any": [*GOING, "running", "complete", "failed", "rejected", "shutdown"],
}
UPDATES = st.sampled_from([None] * 8 + ["completed", "updating", "paused", "rollback_started", "rollback_completed"])
NOW = datetime.fromisoformat("2026-11-24T15:00:00+00:00")


@frozen
class Drawn:
    """A service and its tasks."""

    service: Json
    tasks: Sequence[Json]


@st.composite
def stacks(draw: st.DrawFn, least: int = 1) -> Sequence[Drawn]:
    return [draw(drawn(number)) for number in range(draw(st.integers(least, 3)))]


@st.composite
def drawn(draw: st.DrawFn, number: int) -> Drawn:
    """Draw a service with tasks that are starting, running, ended or of an earlier deployment."""
    (real,), (task,) = recorded("up").services, recorded("up").tasks
    condition = draw(st.sampled_from(["any", "any", "on-failure", "none"]))
    template = {**real["Spec"]["TaskTemplate"], "RestartPolicy": {"Condition": condition}}
    replicas = draw(st.sampled_from([0, 1, 1, 1, 2, 3]))
    mode = {"Replicated": {"Replicas": replicas}}
    spec = {**real["Spec"], "Name": f"{PREFIX}s{number}", "TaskTemplate": template, "Mode": mode}
    changed, update = ago(draw(AGES)), draw(UPDATES)
    status = {} if update is None else {"UpdateStatus": {"State": update, "Message": "said"}}
    service = {**real, "ID": f"id{number}", "Spec": spec, "UpdatedAt": changed, **status}
    states = st.sampled_from(MOODS[draw(st.sampled_from(list(MOODS)))])
    return Drawn(service, [draw(drawn_task(service, task, states)) for _ in range(draw(st.integers(0, 5)))])


AGES = st.sampled_from([0.0, 2.0, 3.0, 10.0, 16.0, 29.0, 31.0, 100.0])


@st.composite
def drawn_task(draw: st.DrawFn, service: Json, real: Json, states: st.SearchStrategy[str]) -> Json:
    age, state = draw(AGES), draw(states)
    wanted = draw(st.sampled_from(["running"] * 5 + ["shutdown"])) if state in {"running", "starting"} else "running"
    args = draw(st.sampled_from([real["Spec"]["ContainerSpec"]["Args"]] * 5 + [["other"]]))
    spec = {**real["Spec"], "ContainerSpec": {**real["Spec"]["ContainerSpec"], "Args": args}}
    status = {"State": state, "Timestamp": ago(age), "Err": "said"}
    made = {"ServiceID": service["ID"], "CreatedAt": ago(age + draw(AGES)), "DesiredState": wanted}
    return {**real, **made, "Spec": spec, "Status": status}


def ago(seconds: float) -> str:
    return (NOW - timedelta(seconds=seconds)).isoformat()


def seen(stack: Sequence[Drawn], later: float = 0.0) -> StackHealth:
    tasks = [task for one in stack for task in one.tasks]
    return stack_health([one.service for one in stack], tasks, PREFIX, NOW + timedelta(seconds=later))


def fine() -> Drawn:
    """Return a service that has been up for long."""
    (service,), (task,) = recorded("up").services, recorded("up").tasks
    return Drawn({**service, "UpdatedAt": ago(900)}, [{**with_status(task, Timestamp=ago(800)), "CreatedAt": ago(900)}])


@given(stacks())
def test_nothing_is_settled_while_fewer_run_than_are_wanted(stack: Sequence[Drawn]) -> None:
    now = seen(stack)
    event(f"pending: {bool(now.pending)}, failure: {type(now.failure).__name__}")
    for one in stack:
        policy = one.service["Spec"]["TaskTemplate"]["RestartPolicy"]["Condition"]
        good = [
            task
            for task in one.tasks
            if is_current(one.service, task)
            and (task["Status"]["State"] == "running" or (task["Status"]["State"] == "complete" and policy != "any"))
            and (task["Status"]["State"] == "complete" or task["Status"]["Timestamp"] <= ago(3))
            and task["DesiredState"] == "running"
        ]
        name = one.service["Spec"]["Name"].removeprefix(PREFIX)
        if len(good) < one.service["Spec"]["Mode"]["Replicated"]["Replicas"]:
            assert f"{name} " in now.pending


@given(stacks())
def test_a_stack_that_swarm_updates_or_gave_up_is_not_settled(stack: Sequence[Drawn]) -> None:
    now = seen(stack)
    updates = {one.service.get("UpdateStatus", {}).get("State") for one in stack} - {None, "completed"}
    if updates:
        event("updating" if updates == {"updating"} else "given up")
        assert now.pending or now.failure
    if updates - {"updating"}:
        assert now.failure


@given(stacks())
def test_a_failure_does_not_vanish_because_of_services_that_are_fine(stack: Sequence[Drawn]) -> None:
    now, beside = seen(stack), seen([*stack, fine()])
    event(now.failure.message.split(":")[0][:25] if now.failure else "none")
    assert type(beside.failure) is type(now.failure)
    assert beside.pending == now.pending


@given(stacks(), st.randoms(use_true_random=False))
def test_the_order_in_which_swarm_tells_things_is_no_matter(stack: Sequence[Drawn], chance: Any) -> None:  # noqa: ANN401
    mixed = [evolve(one, tasks=chance.sample(one.tasks, len(one.tasks))) for one in chance.sample(stack, len(stack))]
    first, second = seen(stack), seen(mixed)
    assert type(first.failure) is type(second.failure)
    assert bool(first.pending) == bool(second.pending)


@given(stacks())
def test_the_hosts_fault_goes_before_the_recipes(stack: Sequence[Drawn]) -> None:
    too_long = {"new": ago(60), "pending": ago(15)}
    waiting = [
        task
        for one in stack
        for task in one.tasks
        if is_current(one.service, task)
        and task["Status"]["Timestamp"] <= too_long.get(task["Status"]["State"], ago(1e6))
        and not service_of(one.service, one.tasks, "").has_stopping_task
    ]
    failure = seen(stack).failure
    if waiting:
        event("a task that waits")
        assert isinstance(failure, InfrastructureError)
    elif failure is not None:
        event("another failure")
        assert isinstance(failure, RecipeError)


@given(stacks(), st.sampled_from([1.0, 5.0, 60.0]))
def test_waiting_alone_ends_no_failure(stack: Sequence[Drawn], later: float) -> None:
    """Waiting alone never removes a failure. It may only add a fault of the host."""
    now, then = seen(stack), seen(stack, later)
    if now.failure is not None:
        assert then.failure is not None
    if not now.pending:
        assert not then.pending


def test_what_runs_once_on_every_node_and_may_run_on_none_blames_the_host_after_a_while() -> None:
    told = evolve(recorded("everywhere"), tasks=())
    assert told.settling().failure is None
    assert told.later(60).failure() == (
        "InfrastructureError: no node takes app, which runs once on every node that its constraints allow"
    )
