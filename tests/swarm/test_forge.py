"""Mirrors are pushed to a real Gitea: repositories made by the push, a protected branch, hidden refs, a full disk."""

import base64
import urllib.error
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import frozen

from desired.mirror import Mirror
from reconciler.host.git.forge import GitForge
from state.folder.folder import StateFolder
from tests.repositories import UpstreamRepository, git
from tests.swarm.gitea_forge import USER, WORK, Gitea, running_gitea
from tests.swarm.local_engine import LocalEngine

FIRST, SECOND = "1.0.0+v1", "1.1.0+v1"


@pytest.fixture(scope="module")
def gitea(engine: LocalEngine) -> Iterator[Gitea]:
    with running_gitea(engine) as forge:
        yield forge


@pytest.fixture
def pushing(gitea: Gitea, tmp_path: Path) -> "Pushing":
    token = gitea.call(
        "POST", f"/users/{USER}/tokens", {"name": tmp_path.name, "scopes": ["write:repository", "write:user"]}
    )
    (tmp_path / "token").write_text(token["sha1"] + "\n")
    return Pushing(tmp_path, gitea, Mirror(f"{gitea.url}/{USER}/{{recipe}}.git", str(tmp_path / "token")))


@frozen
class Pushing:
    """Upstreams, their mirrors, and the forge to which these are pushed."""

    folder: Path
    gitea: Gitea
    target: Mirror

    @property
    def forge(self) -> GitForge:
        environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
        return GitForge(StateFolder(self.folder / "state"), environment, ("http",), self.target)

    def upstream(self, name: str) -> UpstreamRepository:
        """Make an upstream with one release."""
        repository = UpstreamRepository.make(self.folder / f"{name}.git")
        repository.commit()
        repository.tag(FIRST, annotated=True)
        return repository

    def mirror(self, repository: UpstreamRepository) -> None:
        """Make or update the mirror of an upstream, as a pass would leave it."""
        mirror = self.folder / "state" / "mirrors" / repository.path.name
        mirror.parent.mkdir(parents=True, exist_ok=True)
        if not mirror.exists():
            git(self.folder, "clone", "--quiet", "--bare", str(repository.path), str(mirror))
        git(mirror, "fetch", "--quiet", "--tags", str(repository.path), "+refs/heads/main:refs/heads/main")

    def push(self, name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Push one mirror. Return the refs that were pushed, and the problems."""
        result = self.forge.push([name])[name]
        return result.pushed, result.problems


def test_a_repository_is_made_by_the_first_push_and_holds_what_upstream_has(pushing: Pushing) -> None:
    upstream = pushing.upstream("made")
    pushing.mirror(upstream)
    assert pushing.push("made")[1] == ()
    assert pushing.gitea.refs("made") == upstream.refs()
    assert pushing.push("made") == ((), ())


def test_a_protected_branch_is_named_and_the_new_tag_arrives_all_the_same(pushing: Pushing) -> None:
    upstream = pushing.upstream("guarded")
    pushing.mirror(upstream)
    pushing.push("guarded")
    before = upstream.head()
    rule = {"rule_name": "main", "enable_push": False}
    pushing.gitea.call("POST", f"/repos/{USER}/guarded/branch_protections", rule)
    upstream.commit({"new": b"work"})
    upstream.tag(SECOND)
    pushing.mirror(upstream)
    pushed, (problem,) = pushing.push("guarded")
    assert pushed == (f"refs/tags/{SECOND}",)
    assert problem.startswith("the branch main was refused: ")
    refs = pushing.gitea.refs("guarded")
    assert (refs["refs/heads/main"], refs[f"refs/tags/{SECOND}"]) == (before, upstream.refs()[f"refs/tags/{SECOND}"])


def test_a_pull_request_of_the_forge_keeps_its_refs(pushing: Pushing) -> None:
    upstream = pushing.upstream("asked")
    pushing.mirror(upstream)
    pushing.push("asked")
    change = {"branch": "main", "new_branch": "theirs", "content": base64.b64encode(b"x").decode(), "message": "Ask"}
    pushing.gitea.call("POST", f"/repos/{USER}/asked/contents/theirs.txt", change)
    pushing.gitea.call("POST", f"/repos/{USER}/asked/pulls", {"title": "Ask", "head": "theirs", "base": "main"})
    before = pushing.gitea.refs("asked")
    assert "refs/pull/1/head" in before
    upstream.tag(SECOND)
    pushing.mirror(upstream)
    assert pushing.push("asked") == ((f"refs/tags/{SECOND}",), ())
    assert pushing.gitea.refs("asked") == {**before, f"refs/tags/{SECOND}": upstream.refs()[f"refs/tags/{SECOND}"]}


def test_a_wrong_token_is_refused_and_shown_nowhere(pushing: Pushing) -> None:
    pushing.mirror(pushing.upstream("closed"))
    (pushing.folder / "token").write_text("wrong-token-4711")
    pushed, (problem,) = pushing.push("closed")
    assert pushed == ()
    assert "4711" not in problem
    with pytest.raises(urllib.error.HTTPError, match="404"):
        pushing.gitea.call("GET", f"/repos/{USER}/closed")


def test_a_full_disk_of_the_forge_is_a_problem_and_the_next_push_after_it_succeeds(pushing: Pushing) -> None:
    upstream = pushing.upstream("large")
    pushing.mirror(upstream)
    assert pushing.push("large")[1] == ()
    fill = ("exec", pushing.gitea.container, "sh", "-c", "cat /dev/zero >/forge/full 2>/dev/null || true")
    pushing.gitea.engine.docker(*fill)
    upstream.commit({"large": bytes(range(256)) * 4096})
    upstream.tag(SECOND)
    pushing.mirror(upstream)
    try:
        pushed, problems = pushing.push("large")
        assert pushed == ()
        assert len(problems) > 0
    finally:
        pushing.gitea.engine.docker("exec", pushing.gitea.container, "rm", f"{WORK}/full")
    assert pushing.push("large")[1] == ()
    assert pushing.gitea.refs("large") == upstream.refs()
