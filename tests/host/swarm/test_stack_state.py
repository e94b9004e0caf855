"""Tests against recordings of Swarm in each situation; `record_situations.py` made the recordings."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from reconciler.errors import InfrastructureError
from reconciler.host.swarm.recipe.stack import ADDRESS, COMMIT, PEER, Stack
from reconciler.host.swarm.services.stack_state import StackState, running_app
from reconciler.ports.app import NotRunning, RunningApp

STACK = Stack("canon-recording", "notes", "/slot", "notes.localhost")
LABELS = {
    COMMIT: "c" * 40,
    ADDRESS: "127.0.0.1:24000 http://notes.localhost",
    PEER: "canon-recording_app:80",
    "coop-cloud.canon-recording.version": "1.0.0+1",
    "coop-cloud.other.version": "9.9.9",
}
VOLUME = [{"Type": "volume", "Source": "canon-recording_data", "Target": "/data"}]


def stack_state(name: str, later: float = 0.0) -> StackState:
    """As the recording has it, with the labels of a release that Canon deployed."""
    told = json.loads((Path(__file__).parent / "recordings" / f"{name}.json").read_text())
    services = [{**one, "Spec": {**one["Spec"], "Labels": LABELS}} for one in told["services"]]
    node = next((task["NodeID"] for task in told["tasks"] if "NodeID" in task), "n1")
    return StackState(services, told["tasks"], node, datetime.fromisoformat(told["now"]) + timedelta(seconds=later))


def keeping(one: Mapping[str, Any]) -> Mapping[str, Any]:
    """The service with a volume."""
    template = one["Spec"]["TaskTemplate"]
    container = {**template["ContainerSpec"], "Mounts": VOLUME}
    return {**one, "Spec": {**one["Spec"], "TaskTemplate": {**template, "ContainerSpec": container}}}


def test_an_app_that_is_up_is_seen_as_what_its_labels_say() -> None:
    assert running_app(STACK, stack_state("up", 30)) == RunningApp(
        version="1.0.0+1",
        commit="c" * 40,
        is_up=True,
        url="http://notes.localhost",
        address="127.0.0.1:24000",
        peer="canon-recording_app:80",
        up=frozenset({f"app {task['ID']}" for task in stack_state("up").tasks}),
    )


ASKED = {"300": timedelta(minutes=5), "9" * 30: timedelta(days=1)}


@pytest.mark.parametrize(
    ("label", "timeout"),
    [
        ("300", timedelta(minutes=5)),
        ("", None),
        ("0", None),
        ("5m", None),
        ("-1", None),
        ("9" * 30, timedelta(days=1)),
        ("\u0665", None),
    ],
)
def test_the_time_that_a_release_asks_for_is_the_one_of_co_op_clouds_label(
    label: str, timeout: timedelta | None
) -> None:
    told = stack_state("up", 30)
    labels = {**LABELS, "coop-cloud.canon-recording.timeout": label, "coop-cloud.other.timeout": "7"}
    services = [{**one, "Spec": {**one["Spec"], "Labels": labels}} for one in told.services]
    looked = running_app(STACK, evolve(told, services=services))
    assert isinstance(looked, RunningApp)
    assert looked.timeout == timeout


def test_an_app_that_is_not_up_yet_is_seen_with_what_it_lacks() -> None:
    looked = running_app(STACK, stack_state("starting"))
    assert isinstance(looked, RunningApp)
    assert (looked.is_up, looked.failure) == (False, "")
    assert looked.problem == "app has 0 of 1 up: its newest task is starting"


def test_an_app_that_failed_is_not_up_and_has_a_failure() -> None:
    looked = running_app(STACK, stack_state("rolled-back", 60))
    assert isinstance(looked, RunningApp)
    assert not looked.is_up
    assert looked.failure.startswith("Swarm rolled app back to what ran before")


@pytest.mark.parametrize(("name", "late"), [("unhealthy", True), ("crash-loop", False), ("rolled-back", False)])
def test_a_task_whose_health_check_gave_up_may_have_been_late(name: str, late: bool) -> None:  # noqa: FBT001
    looked = running_app(STACK, stack_state(name, 60))
    assert isinstance(looked, RunningApp)
    assert looked.failure
    assert looked.timed_out is late


def test_an_app_that_no_node_takes_is_an_infrastructure_error() -> None:
    with pytest.raises(InfrastructureError, match="no node takes app"):
        running_app(STACK, stack_state("no-node", 20))


def test_a_stopped_stack_or_one_without_the_service_app_does_not_run() -> None:
    assert running_app(STACK, stack_state("at-rest")) == NotRunning()
    assert running_app(STACK, evolve(stack_state("up"), services=[], tasks=[])) == NotRunning()
    assert running_app(evolve(STACK, name="other"), stack_state("up")) == NotRunning("the stack has no service app")


def test_data_on_another_node_is_refused_and_a_service_without_any_is_not() -> None:
    here = stack_state("up", 30)
    there = evolve(here, node="n2")
    assert isinstance(running_app(STACK, there), RunningApp)
    with pytest.raises(InfrastructureError, match=r"notes: app runs on node .*, whose volumes cannot be read"):
        running_app(STACK, evolve(there, services=list(map(keeping, there.services))))
    assert isinstance(running_app(STACK, evolve(here, services=list(map(keeping, here.services)))), RunningApp)


def test_data_on_another_node_that_no_task_needs_any_more_is_not_refused() -> None:
    there = evolve(stack_state("up", 30), node="n2")
    gone = [{**task, "DesiredState": "shutdown"} for task in there.tasks]
    assert isinstance(
        running_app(STACK, evolve(there, services=list(map(keeping, there.services)), tasks=gone)), RunningApp
    )
