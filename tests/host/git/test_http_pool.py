"""Asks upstreams within the process: how many requests there are, when, and that git is not needed."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from desired.model import Recipe
from desired.releases import Unobservable
from reconciler.host.git.http_pool import AT_ONCE_PER_HOST
from reconciler.host.git.upstream import GitUpstream
from reconciler.host.output import MIB
from reconciler.ports.repositories import Reply, TagQuery
from state.records import Answer
from tests.faulty_git_server import REFS, advertisement, answers, faulty_git_server, hangs, ls_refs_answer
from tests.git_servers import Forge, forge, free_port

# There is no git on this PATH.
ENVIRONMENT = {"PATH": "/nowhere"}
LISTED = "application/x-git-upload-pack-result"
WHOLE = answers(advertisement(*REFS), kind="application/x-git-upload-pack-advertisement")
V2 = ls_refs_answer(f"{REFS[0]} symref-target:refs/heads/main", *REFS[1:])


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forge]:
    with forge(tmp_path_factory.mktemp("forge") / "forge") as running:
        yield running


def query(url: str, name: str = "notes") -> TagQuery:
    return TagQuery(Recipe(name, url, Path("/nowhere")), None)


def ask(url: str) -> Reply:
    return GitUpstream(ENVIRONMENT, ("http",)).ask([query(url)])["notes"]


def test_an_answer_within_the_process_starts_no_git_and_makes_one_request() -> None:
    with faulty_git_server(WHOLE, answers(V2, kind=LISTED)) as server:
        reply = ask(server.url)
        assert (server.requests, server.posts) == (1, 1)
    assert isinstance(reply, Answer)
    assert reply.tags == {"1.0.0": "1" * 40, "2.0.0": "2" * 40}


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
def test_a_pause_that_the_server_wants_is_kept(status: str) -> None:
    times: list[float] = []

    def refuse_once(peer: socket.socket, stop: threading.Event) -> None:
        times.append(time.monotonic())
        refusal = answers(b"", status, more="Retry-After: 1")
        (refusal if len(times) == 1 else answers(V2, kind=LISTED))(peer, stop)

    with faulty_git_server(WHOLE, refuse_once) as server:
        assert isinstance(ask(server.url), Answer)
        assert server.requests == 2
    assert times[1] - times[0] >= 1


def test_no_recipe_of_a_host_that_wants_a_long_pause_is_asked_any_more() -> None:
    with faulty_git_server(answers(b"", "429 Too Many Requests", more="Retry-After: 3600")) as server:
        queries = [query(server.url, f"r{n}") for n in range(40)]
        replies = GitUpstream(ENVIRONMENT, ("http",)).ask(queries)
        assert server.requests <= 2 * AT_ONCE_PER_HOST
    assert set(replies.values()) == {Unobservable("upstream answered with status 429")}


def test_a_host_gets_eight_requests_at_once_and_no_more() -> None:
    now, most, lock = 0, 0, threading.Lock()

    def count(peer: socket.socket, stop: threading.Event) -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        stop.wait(0.05)
        with lock:
            now -= 1
        answers(V2, kind=LISTED)(peer, stop)

    with faulty_git_server(WHOLE, count) as server:
        queries = [query(server.url, f"r{n}") for n in range(40)]
        replies = GitUpstream(ENVIRONMENT, ("http",)).ask(queries)
        assert (server.requests, server.posts) == (40, 40)
    assert list(replies) == [f"r{n}" for n in range(40)]
    assert all(isinstance(reply, Answer) for reply in replies.values())
    assert most == AT_ONCE_PER_HOST


def test_a_silent_host_does_not_delay_the_answers_of_another(served: Forge) -> None:
    repository = served.repository("quick")
    repository.commit()
    with faulty_git_server(hangs) as silent:
        queries = [query(silent.url, f"s{n}") for n in range(8)]
        quick = query(served.address("quick"), "quick")
        replies = GitUpstream(ENVIRONMENT, ("http",), 2.0).ask([*queries, quick])
    assert isinstance(replies["quick"], Answer)
    assert replies["s7"] == Unobservable("git is not installed")


def test_a_host_that_lists_nothing_in_process_is_left_to_git_after_eight_requests() -> None:
    with faulty_git_server(answers(b"", kind=LISTED)) as server:
        replies = GitUpstream(ENVIRONMENT, ("http",)).ask([query(server.url, f"r{n}") for n in range(100)])
        assert server.posts < 3 * AT_ONCE_PER_HOST
    assert set(replies.values()) == {Unobservable("git is not installed")}


def test_a_body_without_an_end_is_given_up_within_a_bound() -> None:
    sent: list[int] = []

    def send(peer: socket.socket, stop: threading.Event) -> None:
        peer.sendall(f"HTTP/1.1 200 OK\r\nContent-Type: {LISTED}\r\n\r\n".encode())
        sent.append(0)
        while not stop.is_set():
            peer.sendall(bytes(MIB))
            sent[-1] += MIB

    with faulty_git_server(WHOLE, send) as server:
        assert ask(server.url) == Unobservable("git is not installed")
    assert sum(sent) < 32 * MIB


def test_the_proxy_of_this_process_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what the fleet passes on counts."""
    for name in ("http_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    with faulty_git_server(WHOLE, answers(V2, kind=LISTED)) as server:
        assert isinstance(ask(server.url), Answer)
        assert server.requests == 1
