"""Drawn stacks: services with tasks that start, run, fail or belong to an earlier deployment."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from attrs import frozen
from hypothesis import strategies as st

from reconciler.host.swarm.services.service_health import StackHealth, stack_health
from tests.host.swarm.recorded_services import PREFIX, Json, recorded, with_status

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
