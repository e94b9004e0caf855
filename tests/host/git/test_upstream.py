import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType

import pytest

from desired.model import Recipe
from desired.releases import Unobservable
from reconciler.errors import InterruptedPassError
from reconciler.host.git.upstream import GitUpstream
from reconciler.host.processes.procfs import RUN_MARK, children, mark_of
from reconciler.host.text import ref_bytes
from reconciler.ports.repositories import Reply, TagQuery, Unchanged
from state.records import Answer
from tests.faulty_git_server import FAULTS, REFS, advertisement, answers, drips, faulty_git_server, hangs
from tests.git_servers import Forge, forge, free_port
from tests.repositories import HOSTILE_TAGS, git

ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
SMART = "application/x-git-upload-pack-advertisement"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forge]:
    with forge(tmp_path_factory.mktemp("forge") / "forge") as running:
        yield running


def recipe(url: str, name: str = "notes") -> Recipe:
    return Recipe(name, url, Path("/nowhere"))


def upstream(deadline: float = 30.0, protocols: Sequence[str] = ("http",), most: int = 1 << 25) -> GitUpstream:
    return GitUpstream(ENVIRONMENT, tuple(protocols), deadline, sleep=lambda _: None, most=most)


def ask(url: str, known: str | None = None, asked: GitUpstream | None = None) -> Reply:
    return (asked or upstream()).ask([TagQuery(recipe(url), known)])["notes"]


def seen(reply: Reply) -> Answer:
    assert isinstance(reply, Answer)
    return reply


# ---- a real forge ----


def test_an_answer_names_the_main_branch_and_every_tag_by_the_commit_it_peels_to(served: Forge) -> None:
    repository = served.repository("peels", branch="trunk")
    first = repository.commit()
    repository.tag("1.0.0")
    second = repository.commit({"a": b"2"})
    inner = repository.tag("1.1.0", second, annotated=True)
    outer = repository.tag("1.2.0", inner, annotated=True)
    blob = repository.blob(b"no commit")
    repository.tag("2.0.0", blob)

    answer = seen(ask(served.address("peels")))

    assert (answer.branch, answer.head) == ("trunk", second)
    assert answer.tags == {"1.0.0": first, "1.1.0": second, "1.2.0": second, "2.0.0": blob}
    assert len({first, second, inner, outer}) == 4


def test_an_unchanged_upstream_is_the_same_and_a_changed_one_is_not(served: Forge) -> None:
    repository = served.repository("same")
    repository.commit()
    url = served.address("same")
    known = seen(ask(url)).digest
    assert ask(url, known) == Unchanged()
    repository.tag("1.0.0")
    assert seen(ask(url, known)).tags == {"1.0.0": repository.head()}


def test_a_repository_whose_other_names_end_or_lead_like_the_main_ones_is_read(served: Forge, tmp_path: Path) -> None:
    """A working clone has a HEAD of its remote; an alias of the main branch leads to it."""
    repository = served.repository("aliases")
    commit = repository.commit()
    repository.tag("1.0.0")
    git(tmp_path, "clone", "-q", str(repository.path), "clone")
    git(tmp_path / "clone", "symbolic-ref", "refs/heads/master", "refs/heads/main")
    assert b"refs/remotes/origin/HEAD" in git(tmp_path / "clone", "ls-remote", ".", "HEAD")
    answer = seen(ask(str(tmp_path / "clone"), asked=upstream(protocols=["file"])))
    assert (answer.branch, answer.head, answer.tags) == ("main", commit, {"1.0.0": commit})


@pytest.mark.parametrize("head", ["ref: refs/heads/gone\n", "{commit}\n"])
def test_releases_are_read_although_head_names_a_missing_branch(served: Forge, head: str) -> None:
    address, commit = served.without_main_branch(head)
    answer = seen(ask(address))
    assert (answer.branch, answer.head, answer.tags) == ("", "", {"1.0.0": commit})


def test_a_repository_without_tags_is_a_complete_answer(served: Forge) -> None:
    repository = served.repository("untagged")
    repository.commit()
    assert seen(ask(served.address("untagged"))).tags == {}


def test_no_hostile_name_is_lost_executed_or_changed(
    served: Forge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    repository = served.repository("hostile")
    commit = repository.commit()
    for name in HOSTILE_TAGS:
        repository.tag(name)
    answer = seen(ask(served.address("hostile")))
    assert {ref_bytes(name) for name in answer.tags} == set(HOSTILE_TAGS)
    assert set(answer.tags.values()) == {commit}
    assert list(tmp_path.iterdir()) == []


def test_a_missing_repository_does_not_hide_its_neighbours(served: Forge) -> None:
    repository = served.repository("neighbour")
    repository.commit()
    questions = [TagQuery(recipe(served.address(name), name), None) for name in ("gone", "neighbour")]
    replies = upstream().ask(questions)
    assert list(replies) == ["gone", "neighbour"]
    assert isinstance(replies["gone"], Unobservable)
    assert seen(replies["neighbour"]).head == repository.head()


def test_a_protocol_that_the_fleet_does_not_name_is_not_spoken(served: Forge) -> None:
    repository = served.repository("spoken")
    repository.commit()
    for url in (served.address("spoken"), str(repository.path), f"file://{repository.path}", "ext::touch /tmp/hacked"):
        reply = ask(url, asked=upstream(protocols=["https"]))
        assert isinstance(reply, Unobservable), url
        assert "not allowed" in reply.reason
    assert seen(ask(str(repository.path), asked=upstream(protocols=["file"]))).head == repository.head()


def test_a_url_that_looks_like_an_option_is_no_option(tmp_path: Path) -> None:
    witness = tmp_path / "witness"
    assert isinstance(ask(f"--upload-pack=touch {witness};"), Unobservable)
    assert not witness.exists()


# ---- forges that fail ----


@pytest.mark.parametrize("name", FAULTS)
def test_a_failing_forge_is_unobservable_for_a_reason(name: str) -> None:
    failing, reason = FAULTS[name]
    with faulty_git_server(failing) as server:
        reply = ask(server.url, asked=upstream(deadline=1.5 if reason == "in time" else 30.0))
    assert isinstance(reply, Unobservable)
    assert reason in reply.reason
    assert reply.reason.isprintable()
    assert len(reply.reason) < 250


def test_a_closed_port_is_unobservable() -> None:
    reply = ask(f"http://127.0.0.1:{free_port()}/x.git")
    assert isinstance(reply, Unobservable)
    assert "connect" in reply.reason.lower()


def test_a_whole_answer_of_the_old_protocol_is_read() -> None:
    with faulty_git_server(answers(advertisement(*REFS), kind=SMART)) as server:
        assert seen(ask(server.url)).tags == {"1.0.0": "1" * 40, "2.0.0": "2" * 40}


def test_a_transient_error_is_tried_again_and_a_permanent_one_is_not() -> None:
    with faulty_git_server(answers(b"", "503 Service Unavailable")) as server:
        ask(server.url)
        assert (server.posts, server.requests - server.posts) == (1, 3)
    with faulty_git_server(answers(b"", "404 Not Found")) as server:
        ask(server.url)
        assert (server.posts, server.requests - server.posts) == (1, 1)


def test_an_upstream_that_comes_back_between_two_tries_is_seen() -> None:
    with faulty_git_server(answers(b"", "503 Service Unavailable")) as server:

        def come_back(_: float) -> None:
            server.failing = answers(advertisement(*REFS), kind=SMART)

        reply = ask(server.url, asked=GitUpstream(ENVIRONMENT, ("http",), sleep=come_back))
    assert seen(reply).branch == "main"


def test_an_answer_larger_than_allowed_is_unobservable() -> None:
    refs = [*REFS, *(f"{'3' * 40} refs/tags/3.0.{patch}" for patch in range(500))]
    with faulty_git_server(answers(advertisement(*refs), kind=SMART)) as server:
        assert ask(server.url, asked=upstream(most=10_000)) == Unobservable("the answer is too large")


def test_a_password_in_a_url_is_in_no_reason() -> None:
    with faulty_git_server(answers(b"<html>\n</html>\n")) as server:
        reply = ask(server.url.replace("http://", "http://ada:opensesame@"))
    assert isinstance(reply, Unobservable)
    assert "opensesame" not in reply.reason


def test_an_interrupted_question_does_not_wait_for_the_slowest_upstream() -> None:
    def interrupt(number: int, _: FrameType | None) -> None:
        raise InterruptedPassError(number)

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with faulty_git_server(hangs) as silent, faulty_git_server(drips(b"0" * 100_000)) as slow:
            questions = [TagQuery(recipe(server.url, f"r{n}"), None) for n, server in enumerate([silent, slow] * 8)]
            signal.setitimer(signal.ITIMER_REAL, 0.5)
            with pytest.raises(InterruptedPassError):
                upstream(deadline=600.0).ask(questions)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert [process for process in children() if mark_of(process, RUN_MARK)] == []
