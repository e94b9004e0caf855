"""Asks failing servers by HTTP within the process and by `git ls-remote`: not one reply may differ."""

import pytest

from desired.releases import Unobservable
from state.records import Answer
from tests.both_ways import LISTED, V2, V2_SERVED, WHOLE, asked_both_ways
from tests.faulty_git_server import (
    FAULTS,
    POST_FAULTS,
    V2_FAULTS,
    answers,
    faulty_git_server,
    ls_refs_answer,
)
from tests.git_servers import free_port

SLOW = ("silence", "a byte at a time", "v2 a byte at a time")


@pytest.mark.parametrize("name", FAULTS)
def test_a_failing_server_gets_one_label(name: str) -> None:
    failing, reason = FAULTS[name]
    with faulty_git_server(failing) as server:
        reply = asked_both_ways(server.url, 1.5 if reason == "in time" else 30.0)
    assert isinstance(reply, Unobservable)
    assert reason in reply.reason


@pytest.mark.parametrize("name", POST_FAULTS)
def test_a_server_that_fails_our_way_alone_is_seen_by_git(name: str) -> None:
    with faulty_git_server(WHOLE, POST_FAULTS[name]) as server:
        reply = asked_both_ways(server.url, 4.0 if name.startswith(SLOW) else 30.0)
        assert server.posts > 0
    assert isinstance(reply, Answer)
    assert reply.tags == {"1.0.0": "1" * 40, "2.0.0": "2" * 40}


@pytest.mark.parametrize("name", V2_FAULTS)
def test_a_complete_answer_that_is_wrong_gets_one_label(name: str) -> None:
    with faulty_git_server(V2_SERVED, answers(ls_refs_answer(*V2_FAULTS[name]), kind=LISTED)) as server:
        reply = asked_both_ways(server.url)
    assert isinstance(reply, Unobservable)


def test_a_server_of_version_2_gets_one_label() -> None:
    with faulty_git_server(V2_SERVED, answers(V2, kind=LISTED)) as server:
        assert isinstance(asked_both_ways(server.url), Answer)


def test_a_closed_port_gets_one_label() -> None:
    assert isinstance(asked_both_ways(f"http://127.0.0.1:{free_port()}/x.git"), Unobservable)


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
def test_a_server_that_wants_a_pause_beyond_the_deadline_gets_one_label(status: str) -> None:
    with faulty_git_server(answers(b"", status, more="Retry-After: 3600")) as server:
        assert asked_both_ways(server.url) == Unobservable(f"upstream answered with status {status[:3]}")
