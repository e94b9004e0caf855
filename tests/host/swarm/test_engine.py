"""Tests what the engine is asked over its API and how its answers are read, with a stand-in that serves them."""

import json
import threading
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.errors import CanonError, InfrastructureError, RecipeError
from reconciler.host.output import FirstBytes
from reconciler.host.swarm.engine.connection import ApiCall
from reconciler.host.swarm.engine.engine import Engine
from tests.host.swarm.docker_messages import DAEMON, NOT_THERE, OF_THE_HOST, OF_THE_RECIPE
from tests.host.swarm.engine_stand_in import (
    Answer,
    Serve,
    gives,
    hangs_up,
    refuses,
    sends,
    waits,
)

# The library leaves a socket that it could not connect to the garbage collector.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <socket.socket:pytest.PytestUnraisableExceptionWarning"
)

MISSING = "service b not found"


def asking(engine: Engine) -> list[Callable[[], object]]:
    return [
        lambda: engine.node,
        lambda: engine.inspect("service", ["a"]),
        lambda: engine.tasks(["a"]),
        lambda: engine.list_ids("volume", "label=x"),
        lambda: engine.end_events("x", datetime.now(UTC)),
    ]


def test_objects_that_are_gone_are_left_out_and_no_failure(serve: Serve) -> None:
    stand_in = serve({"GET /services/a": gives({"ID": "a"}), "GET /services/b": refuses(MISSING, 404)})
    assert stand_in.engine().inspect("service", ["b", "a"]) == ({"ID": "a"},)


def test_an_engine_that_is_down_is_never_taken_for_one_that_has_nothing(tmp_path: Path) -> None:
    for ask in asking(Engine({"DOCKER_HOST": f"unix://{tmp_path}/nobody.sock"})):
        with pytest.raises(InfrastructureError, match="Cannot connect to the Docker daemon at unix://") as failure:
            ask()
        assert "DOCKER_HOST" in failure.value.hint


@pytest.mark.parametrize("answer", [hangs_up, sends(b"{"), sends(b"<html>", 502), refuses("rpc error: broken")])
def test_an_engine_that_does_not_answer_whole_is_never_taken_for_one_that_has_nothing(
    serve: Serve, answer: Answer
) -> None:
    paths = ("/info", "/services/a", "/tasks", "/volumes", "/events")
    engine = serve({f"GET {path}": answer for path in paths}).engine()
    for ask in asking(engine):
        with pytest.raises(InfrastructureError):
            ask()


def test_a_closed_socket_names_the_remedy(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    engine = serve({}).engine()
    # Root may open every socket, so the refusal of the kernel is given here.
    monkeypatch.setattr("docker.transport.unixconn.UnixHTTPConnection.connect", refuse)
    with pytest.raises(InfrastructureError, match="permission denied while trying to connect") as failure:
        engine.list_ids("service")
    assert "group of Docker's socket" in failure.value.hint


def test_asking_for_no_objects_makes_no_request(serve: Serve) -> None:
    stand_in = serve({})
    engine = stand_in.engine()
    assert (engine.inspect("service", []), engine.tasks([])) == ((), ())
    engine.remove("volume", [])
    assert stand_in.lines == []


def test_filters_of_one_name_are_all_sent(serve: Serve) -> None:
    stand_in = serve({"GET /tasks": gives([{"ID": "t"}])})
    assert stand_in.engine().tasks(["a", "b"]) == ({"ID": "t"},)
    (sent,) = stand_in.requests[-1].params["filters"]
    assert json.loads(sent) == {"service": ["a", "b"]}


def test_stopped_containers_are_listed_too_and_volumes_by_name(serve: Serve) -> None:
    stand_in = serve(
        {"GET /containers/json": gives([{"Id": "c"}]), "GET /volumes": gives({"Volumes": [{"Name": "v"}]})}
    )
    engine = stand_in.engine()
    assert (engine.list_ids("container", "label=a=b"), engine.list_ids("volume")) == (("c",), ("v",))
    assert stand_in.requests[-2].params["all"] == ["1"]


def test_a_kind_without_objects_is_listed_as_empty(serve: Serve) -> None:
    stand_in = serve({"GET /volumes": gives({"Volumes": None, "Warnings": None}), "GET /secrets": gives([])})
    engine = stand_in.engine()
    assert (engine.find("volume"), engine.find("secret")) == ((), ())


@pytest.mark.parametrize("swarm", [{"LocalNodeState": "inactive"}, {"LocalNodeState": "active"}, {}])
def test_a_host_that_manages_no_swarm_is_named_with_a_remedy(serve: Serve, swarm: object) -> None:
    engine = serve({"GET /info": gives({"Swarm": swarm})}).engine()
    with pytest.raises(InfrastructureError, match="this host manages no swarm") as refusal:
        _ = engine.node
    assert "docker swarm init" in refusal.value.hint


def test_a_host_that_can_do_it_is_asked_once(serve: Serve) -> None:
    stand_in = serve({})
    engine = stand_in.engine()
    assert (engine.node, engine.node) == ("n1", "n1")
    assert stand_in.lines.count("GET /info") == 1


@pytest.mark.parametrize(("node", "refused"), [("n1", False), ("n2", True)])
def test_a_command_that_reaches_another_engine_is_refused(
    serve: Serve, tmp_path: Path, node: str, *, refused: bool
) -> None:
    client = tmp_path / "docker"
    client.write_text(f'#!/bin/sh\necho \'"26.1.5" "{node}"\'\n')
    client.chmod(0o755)
    engine = serve({}).engine(PATH=f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(InfrastructureError, match="reaches another engine") if refused else nullcontext():
        engine.check()


def test_events_are_read_line_by_line(serve: Serve) -> None:
    events = [{"Action": "die", "Actor": {"ID": "c"}}, {"Action": "oom", "Actor": {"ID": "c"}}]
    lines = b"".join(json.dumps(event).encode() + b"\n" for event in events)
    stand_in = serve({"GET /events": sends(lines)})
    assert stand_in.engine().end_events("a=b", datetime.fromtimestamp(1.5, UTC)) == tuple(events)
    params = stand_in.requests[-1].params
    assert (params["since"], json.loads(params["filters"][0])) == (
        ["1.500000"],
        {"label": ["a=b"], "event": ["die", "oom"]},
    )


def test_a_service_that_somebody_changed_meanwhile_is_updated_from_its_newer_spec(serve: Serve) -> None:
    versions, sent = iter([7, 8]), list[tuple[list[str], object]]()

    def get(handler: object, request: object) -> None:
        number = next(versions)
        gives({"ID": "s", "Version": {"Index": number}, "Spec": {"Name": "a", "Number": number}})(handler, request)  # type: ignore[arg-type]

    def update(handler: object, request: object) -> None:
        sent.append((request.params["version"], json.loads(request.body)))  # type: ignore[attr-defined]
        answer = refuses("rpc error: code = Unknown desc = update out of sequence") if len(sent) == 1 else gives({})
        answer(handler, request)  # type: ignore[arg-type]

    engine = serve({"GET /services/a": get, "POST /services/s/update": update}).engine()
    engine.update_service("a", lambda spec: {**spec, "More": True})
    assert sent == [
        (["7"], {"Name": "a", "Number": 7, "More": True}),
        (["8"], {"Name": "a", "Number": 8, "More": True}),
    ]


def test_an_update_that_is_refused_for_another_reason_is_not_tried_again(serve: Serve) -> None:
    service = gives({"ID": "s", "Version": {"Index": 1}, "Spec": {}})
    stand_in = serve({"GET /services/a": service, "POST /services/s/update": refuses("no space left on device")})
    with pytest.raises(InfrastructureError, match="no space left on device"):
        stand_in.engine().update_service("a", lambda spec: spec)
    assert stand_in.lines.count("POST /services/s/update") == 1


def test_a_removal_that_is_refused_does_not_hide_the_next_one(serve: Serve) -> None:
    stand_in = serve({"DELETE /volumes/a": refuses("volume is in use", 409), "DELETE /volumes/b": sends(b"", 204)})
    stand_in.engine().remove("volume", ["a", "gone", "b"])
    assert [line for line in stand_in.lines if line.startswith("DELETE")] == [
        "DELETE /volumes/a",
        "DELETE /volumes/gone",
        "DELETE /volumes/b",
    ]


@pytest.mark.parametrize("message", [*OF_THE_HOST.values(), *OF_THE_RECIPE.values(), *NOT_THERE, "unknown words"])
def test_a_recipe_is_never_blamed_for_its_volumes_networks_and_secrets(serve: Serve, message: str) -> None:
    engine = serve({"POST /volumes/create": refuses(message.removeprefix(DAEMON))}).engine()
    with pytest.raises(InfrastructureError, match=r"^make volume a: "):
        engine.create("volume", {"Name": "a"}, "make volume a")


def test_an_engine_that_does_not_answer_in_time_is_an_infrastructure_error(serve: Serve) -> None:
    release = threading.Event()
    engine = serve({"POST /volumes/create": waits(release)}).engine()
    with pytest.raises(InfrastructureError, match="it: Docker did not answer within 0 s"):
        engine.connection.call(ApiCall("POST", "/volumes/create", "it", seconds=0.2))
    release.set()


@pytest.mark.parametrize(
    ("message", "status", "blames_recipe"),
    [
        ("Could not find the file /volumes/data/dump.sql in container c", 404, True),
        ("No such container: c", 404, False),
        ("a word that nobody knows", 500, False),
    ],
)
def test_only_a_missing_path_makes_a_failed_copy_the_recipes_fault(
    serve: Serve, message: str, status: int, *, blames_recipe: bool
) -> None:
    engine = serve({"GET /containers/c/archive": refuses(message, status)}).engine()
    with pytest.raises(CanonError) as failure:
        engine.copy_out("c", "/volumes/data/dump.sql", FirstBytes(1))
    assert isinstance(failure.value, RecipeError) is blames_recipe
