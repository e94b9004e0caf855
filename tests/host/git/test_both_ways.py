"""Asks whole servers by HTTP within the process and by `git ls-remote`: not one reply may differ."""

import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from desired.releases import Unobservable
from reconciler.host.git.ls_refs import CONTENT_TYPE, ls_refs_request
from reconciler.ports.repositories import Reply, Unchanged
from state.records import Answer
from tests.both_ways import (
    LISTED,
    V2_SERVED,
    ask,
    ask_git,
    asked_both_ways,
)
from tests.faulty_git_server import (
    REFS,
    answers,
    faulty_git_server,
    ls_refs_answer,
    redirects,
)
from tests.git_servers import Forge, file_server, forge
from tests.repositories import HOSTILE_TAGS, UpstreamRepository, git

HEADERS = {"Content-Type": CONTENT_TYPE, "Git-Protocol": "version=2"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forge]:
    with forge(tmp_path_factory.mktemp("forge") / "forge") as running:
        yield running


def test_asking_in_another_way_reports_no_change(served: Forge) -> None:
    repository = served.repository("ways")
    repository.tag("1.0.0", repository.commit(), annotated=True)
    url = served.address("ways")
    gits, ours = ask_git(url), ask(url)
    assert isinstance(gits, Answer)
    assert isinstance(ours, Answer)
    assert ours.digest.startswith(f"{gits.digest} ls-refs-sha256:")
    # What git was answered is known; only the digest of the body is learnt, once.
    assert ask(url, gits.digest) == ours == evolve(gits, digest=ours.digest)
    assert ask(url, ours.digest) == ask_git(url, ours.digest) == ask_git(url, gits.digest) == Unchanged()
    repository.tag("1.1.0")
    for known in (gits.digest, ours.digest):
        assert isinstance(ask(url, known), Answer)
        assert isinstance(ask_git(url, known), Answer)


def test_refs_that_came_in_another_form_are_unchanged() -> None:
    """The server's answer to us names a ref that nobody asked for, and then another one."""
    replies: list[Reply] = []
    for more in ((), ("1",), ("2",)):
        pulls = (f"{REFS[0][:40]} refs/pull/{number}/head" for number in more)
        body = ls_refs_answer(f"{REFS[0]} symref-target:refs/heads/main", *REFS[1:], *pulls)
        with faulty_git_server(V2_SERVED, answers(body, kind=LISTED)) as server:
            known = replies[0].digest if replies and isinstance(replies[0], Answer) else None
            replies.append(ask(server.url, known))
    assert isinstance(replies[0], Answer)
    assert replies[1:] == [Unchanged(), Unchanged()]


def test_a_forge_answers_both_ways_alike(served: Forge) -> None:
    repository = served.repository("both", branch="trunk")
    first = repository.commit()
    for name in HOSTILE_TAGS:
        repository.tag(name)
    outer = repository.tag("1.2.0", repository.tag("1.1.0", first, annotated=True), annotated=True)
    repository.tag("2.0.0", repository.blob(b"no commit"))
    git(repository.path, "symbolic-ref", "refs/heads/alias", "refs/heads/trunk")
    git(repository.path, "symbolic-ref", "refs/tags/alias", "refs/tags/1.2.0")
    git(repository.path, "update-ref", "refs/pull/1/head", first)
    git(repository.path, "update-ref", "refs/notes/commits", first)
    reply = asked_both_ways(served.address("both"))
    assert isinstance(reply, Answer)
    assert (reply.branch, reply.head, reply.tags["1.2.0"]) == ("trunk", first, first)
    assert outer not in reply.tags.values()


@pytest.mark.parametrize("head", ["ref: refs/heads/gone\n", "{commit}\n"])
def test_a_head_without_a_branch_is_read_both_ways_alike(served: Forge, head: str) -> None:
    address, _ = served.without_main_branch(head)
    assert isinstance(asked_both_ways(address), Answer)


def test_repositories_that_are_empty_missing_or_too_large_get_one_label(served: Forge) -> None:
    served.repository("empty")
    large = served.repository("large")
    large.commit()
    for number in range(400):
        large.tag(f"1.0.{number}")
    replies = {name: asked_both_ways(served.address(name)) for name in ("empty", "missing", "large")}
    assert replies["empty"] == Unobservable("upstream answered, but with no refs at all")
    assert replies["large"] == Unobservable("the answer is too large")
    assert isinstance(replies["missing"], Unobservable)


def test_a_repository_of_sha256_gets_one_label(served: Forge) -> None:
    path = served.root / "sha256.git"
    git(served.root, "init", "-q", "--bare", "--object-format=sha256", str(path))
    tree = git(path, "mktree", stdin=b"").decode().strip()
    commit = git(path, "commit-tree", tree, "-m", "x").decode().strip()
    git(path, "update-ref", "refs/heads/main", commit)
    reply = asked_both_ways(served.address("sha256"))
    assert isinstance(reply, Unobservable)
    assert "SHA-256" in reply.reason


def test_a_forge_that_moved_is_read_both_ways_alike(served: Forge) -> None:
    commit = served.repository("moved").commit()
    target = f"{served.address('moved')}/info/refs?service=git-upload-pack"
    with faulty_git_server(redirects(target), redirects(f"{served.address('moved')}/git-upload-pack")) as old:
        reply = asked_both_ways(old.url)
    assert isinstance(reply, Answer)
    assert reply.head == commit


@pytest.mark.needs("lighttpd")
def test_a_forge_that_drops_the_protocol_is_read_both_ways_alike(tmp_path: Path) -> None:
    """Git answers a command that it does not understand with status 200 and an empty body."""
    with forge(tmp_path / "forge", drops_protocol=True) as running:
        repository = running.repository("old")
        commit = repository.commit()
        repository.tag("1.0.0", annotated=True)
        url = running.address("old")
        posted = urllib.request.Request(f"{url}/git-upload-pack", ls_refs_request(), HEADERS)  # noqa: S310  it is HTTP
        with urllib.request.urlopen(posted) as answer:  # noqa: S310  as above
            assert (answer.status, answer.read()) == (200, b"")
        reply = asked_both_ways(url)
    assert isinstance(reply, Answer)
    assert reply.tags == {"1.0.0": commit}


def test_plain_files_are_read_both_ways_alike(tmp_path: Path) -> None:
    repository = UpstreamRepository.make(tmp_path / "files" / "x.git")
    repository.commit()
    repository.tag("1.0.0")
    repository.git("update-server-info")
    with file_server(tmp_path / "files") as url:
        assert isinstance(asked_both_ways(f"{url}/x.git"), Answer)


@given(st.dictionaries(st.from_regex(r"[a-z0-9][a-z0-9+]{0,7}", fullmatch=True), st.booleans(), max_size=5))
@settings(max_examples=15, deadline=None)
def test_any_repository_is_read_both_ways_alike(served: Forge, tags: dict[str, bool]) -> None:
    folder = Path(tempfile.mkdtemp(dir=served.root))
    repository = UpstreamRepository.make(folder / "x.git")
    commit = repository.commit()
    for name, annotated in tags.items():
        repository.tag(name, annotated=annotated)
    reply = asked_both_ways(f"{served.url}/{folder.name}/x.git")
    assert isinstance(reply, Answer)
    assert reply.tags == dict.fromkeys(tags, commit)
