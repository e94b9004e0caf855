"""Tests which stopped containers count as killed, from events of the engine and tasks of Swarm."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.host.swarm.services.killed_containers import (
    killed_by_update,
    killed_on_stop,
    longest_grace,
    oom_killed_services,
    without_grace,
    writing_volumes,
)

Json = Mapping[str, Any]
SECOND = 1_000_000_000
DATA = {"Type": "volume", "Source": "notes_data", "Target": "/data"}


def container(grace: int | None = None, *mounts: Json, image: str = "nginx:1") -> Json:
    told = {"Image": image, "Mounts": [*mounts]}
    return told if grace is None else {**told, "StopGracePeriod": grace * SECOND}


def service(name: str, told: Json, update: str = "") -> Json:
    spec = {"Name": name, "TaskTemplate": {"ContainerSpec": told}}
    return {"ID": f"id of {name}", "Spec": spec, **({"UpdateStatus": {"State": update}} if update else {})}


def task(of: str, told: Json, code: int, state: str = "shutdown", **more: object) -> Json:
    status = {"State": state, "ContainerStatus": {"ContainerID": "c", "ExitCode": code}}
    return {"ServiceID": f"id of {of}", "Spec": {"ContainerSpec": told}, "Status": status, **more}


def event(action: str, service: str, code: str = "", container: str = "c") -> Json:
    """As `docker events --format '{{json .}}'` tells it."""
    attributes = {"com.docker.swarm.service.name": service, **({"exitCode": code} if code else {})}
    return {"Action": action, "Actor": {"ID": container, "Attributes": attributes}}


def test_the_longest_time_to_stop_of_a_stack_counts_and_ten_seconds_where_none_is_named() -> None:
    assert longest_grace([]) == timedelta()
    assert longest_grace([service("a", container())]) == timedelta(seconds=10)
    assert longest_grace([service("a", container(0)), service("b", container(240))]) == timedelta(minutes=4)
    assert longest_grace([service("a", container(0))]) == timedelta()


def test_killed_services_are_named_with_their_grace_period_and_apart_those_that_may_write_data() -> None:
    services = [
        service("killed", container(3, DATA)),
        service("unnamed", container(None, DATA)),
        service("ended", container(3, DATA)),
        service("without", container(3)),
        service("reading", container(3, {**DATA, "ReadOnly": True})),
        service("bound", container(3, {**DATA, "Type": "bind"})),
        service("starved", container(3, DATA)),
    ]
    events = [
        event("oom", "starved", container="s"),
        event("die", "starved", "137", container="s"),
        event("die", "ended", "0"),
        *(event("die", name, "137") for name in ("killed", "unnamed", "without", "reading", "bound", "stranger")),
    ]
    assert killed_on_stop(services, events) == {
        "killed": "3 s",
        "unnamed": "10 s",
        "without": "3 s",
        "reading": "3 s",
        "bound": "3 s",
    }
    assert writing_volumes(services) == {"killed", "unnamed", "ended", "starved"}
    assert without_grace([*services, service("hasty", container(0))]) == {"hasty"}
    assert oom_killed_services(["killed", "starved"], events) == ("starved",)
    assert oom_killed_services(["killed"], events) == ()


def test_one_killed_container_of_several_makes_its_service_count_as_killed() -> None:
    services = [service("app", container(3, DATA))]
    events = [event("die", "app", "137", "a"), event("die", "app", "0", "b")]
    assert killed_on_stop(services, events) == killed_on_stop(services, events[::-1]) == {"app": "3 s"}


OLD, NEW = container(3, DATA), container(9, DATA, image="nginx:2")


@pytest.mark.parametrize(
    ("gave_way", "update", "killed"),
    [
        (task("app", OLD, 137), "completed", {"app": "3 s"}),
        (task("app", OLD, 137), "", {"app": "3 s"}),
        (task("app", OLD, 0), "completed", {}),
        (task("app", OLD, 143), "completed", {}),
        (task("app", container(3), 137), "completed", {}),
        # Died by itself, and was not told to stop.
        (task("app", OLD, 137, state="failed"), "completed", {}),
        (task("app", OLD, 137, OOMKilled=True), "completed", {}),
        # Of this very deployment, and of another service.
        (task("app", NEW, 137), "completed", {}),
        (task("db", OLD, 137), "completed", {}),
        # What gave way here is the newer one.
        (task("app", OLD, 137), "rollback_completed", {}),
    ],
)
def test_a_service_that_an_update_had_to_kill_is_named(gave_way: Json, update: str, killed: Mapping[str, str]) -> None:
    running = task("app", NEW, 0, state="running")
    assert killed_by_update([service("app", NEW, update)], [running, gave_way]) == killed


EVENTS = st.builds(
    event, st.sampled_from(["die", "oom", "kill"]), st.sampled_from(["app", "db"]), st.sampled_from(["", "0", "137"]),
    st.sampled_from(["a", "b"]),
)  # fmt: skip


BEGAN = "2026-11-29T08:00:00.5Z"


@pytest.mark.parametrize(
    ("state", "ended", "update", "killed"),
    [
        ("shutdown", "2026-11-29T08:00:03.5Z", "completed", {"app": "9 s"}),
        ("shutdown", "2026-11-29T08:00:03.5Z", "updating", {"app": "9 s"}),
        # Swarm stopped it before this update began.
        ("shutdown", "2026-11-29T08:00:00.4Z", "completed", {}),
        ("failed", "2026-11-29T08:00:03.5Z", "completed", {}),
        ("shutdown", "2026-11-29T08:00:03.5Z", "rollback_completed", {}),
    ],
)
def test_a_task_that_swarm_stopped_during_an_update_was_killed_by_it_even_if_its_container_spec_is_not_changed(
    state: str, ended: str, update: str, killed: Mapping[str, str]
) -> None:
    """Swarm also replaces a task whose resources, networks or ports change. It does not list the ports of a task."""
    updated = {**service("app", NEW), "UpdateStatus": {"State": update, "StartedAt": BEGAN}}
    old = task("app", NEW, 137, state)
    gave_way = {**old, "Status": {**old["Status"], "Timestamp": ended}}
    assert killed_by_update([updated], [task("app", NEW, 0, "running"), gave_way]) == killed


@given(st.lists(EVENTS, max_size=6))
def test_nothing_is_called_killed_that_did_not_end_with_137(events: list[Json]) -> None:
    killed = killed_on_stop([service("app", container(3, DATA)), service("db", container())], events)
    ends = [one["Actor"]["Attributes"] for one in events if one["Action"] == "die"]
    ended = {one["com.docker.swarm.service.name"] for one in ends if one.get("exitCode") == "137"}
    assert killed.keys() <= ended
