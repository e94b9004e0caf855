"""Pull requests of a real Gitea are tried on the canonical's data, and their answer is shown there."""

import base64
from collections.abc import Iterator
from xml.etree import ElementTree as ET

import pytest
from attrs import frozen

from tests.cli.one_recipe_fleet import FIRST, OneRecipeFleet, make_one_recipe_fleet
from tests.procfile_apps import wait_for
from tests.repositories import git
from tests.swarm.gitea_forge import PASSWORD, USER, Gitea, running_gitea
from tests.swarm.local_engine import LocalEngine
from tests.test_pipeline import FILES, printed, run_by_act
from tests.tiny_fleet import APP

BROKEN = "raise SystemExit('a crash at the start')\n"


@frozen
class ReviewedRecipe:
    """The recipe `jot`, whose upstream is a repository of a Gitea, with a canonical at its first release."""

    fleet: OneRecipeFleet
    gitea: Gitea

    def propose(self, branch: str, app: str) -> tuple[int, str]:
        """Open a pull request that replaces app.py. Return its number and its commit."""
        path = f"/repos/{USER}/jot"
        before = self.gitea.call("GET", f"{path}/contents/app.py")["sha"]
        change = {"branch": "main", "new_branch": branch, "sha": before, "message": "Change the app"}
        content = {"content": base64.b64encode(app.encode()).decode()}
        made = self.gitea.call("PUT", f"{path}/contents/app.py", {**change, **content})
        pull = self.gitea.call("POST", f"{path}/pulls", {"title": branch, "head": branch, "base": "main"})
        return pull["number"], made["commit"]["sha"]

    def add_workflow(self) -> str:
        """Commit docs/pipeline/actions.yaml, for `jot`, as a workflow of the repository. Return its text."""
        text = (FILES / "actions.yaml").read_text().replace("notes", "jot")
        file = {"branch": "main", "message": "Try pull requests", "content": base64.b64encode(text.encode()).decode()}
        self.gitea.call("POST", f"/repos/{USER}/jot/contents/.gitea/workflows/canon.yaml", file)
        return text

    def tell(self, commit: str, state: str) -> str:
        """Set the status of a commit, as a pipeline does. Return what Gitea then shows for it."""
        path = f"/repos/{USER}/jot"
        self.gitea.call("POST", f"{path}/statuses/{commit}", {"state": state, "context": "canon"})
        return str(self.gitea.call("GET", f"{path}/commits/{commit}/status")["state"])


@pytest.fixture(scope="module")
def reviewed(engine: LocalEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReviewedRecipe]:
    with running_gitea(engine) as gitea:
        fleet = make_one_recipe_fleet(tmp_path_factory.mktemp("reviewed"))
        at = gitea.url.removeprefix("http://")
        git(fleet.upstream.path, "push", "--quiet", f"http://{USER}:{PASSWORD}@{at}/{USER}/jot.git", "main", FIRST)
        fleet.declare(upstream=f"{gitea.url}/{USER}/jot.git")
        done = fleet.run()
        assert done.code == 0, done.out + done.err
        yield ReviewedRecipe(fleet, gitea)


@pytest.mark.parametrize(
    ("branch", "app", "code", "shown"),
    [("better", APP.decode() + "# better\n", 0, "success"), ("broken", BROKEN, 4, "failure")],
)
def test_a_pull_request_is_tried_by_its_ref_and_by_its_commit_and_promotes_nothing(
    reviewed: ReviewedRecipe, branch: str, app: str, code: int, shown: str
) -> None:
    fleet = reviewed.fleet
    number, commit = reviewed.propose(branch, app)
    before = fleet.remembered(), fleet.promoted_state()
    file = fleet.folder / f"{branch}.xml"
    tried = fleet.run("trial", "jot", "--ref", f"refs/pull/{number}/head", "--junit", str(file))
    assert tried.code == code, tried.out + tried.err
    assert commit[:7] in tried.out
    suites = ET.parse(file).getroot()  # noqa: S314 - a file of our own
    assert (int(suites.get("failures", "")) == 0) == (code == 0)
    assert reviewed.tell(commit, "success" if tried.code == 0 else "failure") == shown
    assert fleet.run("trial", "jot", "--ref", commit).code == code
    assert (fleet.remembered(), fleet.promoted_state()) == before
    assert fleet.mirrored().keys() == {"refs/asked/last", "refs/heads/main", f"refs/tags/{FIRST}"}


@pytest.mark.needs("act")
def test_gitea_queues_the_workflow_for_a_pull_request_and_it_runs_with_giteas_own_event(
    reviewed: ReviewedRecipe,
) -> None:
    """No runner of Gitea can be had here: Gitea reads the file and queues its job, and act runs the job."""
    fleet, path = reviewed.fleet, f"/repos/{USER}/jot"
    (fleet.folder / "actions.yaml").write_text(reviewed.add_workflow())
    number, commit = reviewed.propose("reviewed", APP.decode() + "# reviewed\n")
    (job,) = wait_for(lambda: reviewed.gitea.call("GET", f"{path}/actions/jobs")["jobs"])
    assert (job["name"], job["labels"], job["head_sha"], job["status"]) == ("trial", ["canon"], commit, "queued")
    git(fleet.folder, "clone", "--quiet", f"{reviewed.gitea.url}/{USER}/jot.git", "clone")
    event = {"pull_request": reviewed.gitea.call("GET", f"{path}/pulls/{number}")}
    done = run_by_act(fleet, event)
    assert done.code == 0, done
    assert f"base: {FIRST}: the canonical, with its data" in printed(done)
    assert any(commit[:7] in line for line in printed(done))
