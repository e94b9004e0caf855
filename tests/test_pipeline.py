"""The pipeline's files in docs/pipeline: run by act where it is installed, and otherwise read."""

import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml

from tests.cli.one_recipe_fleet import FIRST, OneRecipeFleet, make_one_recipe_fleet
from tests.cli.test_help import parse
from tests.reconcile_command import TREE, ReconcileResult
from tests.repositories import git

FILES = TREE / "docs" / "pipeline"
PULL = "refs/pull/7/head"
BROKEN = "raise SystemExit('a crash at the start')\n"


def commands_in(value: object) -> Iterator[str]:
    """Yield the lines of shell in a pipeline's file that run `reconcile`."""
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from commands_in(each)
    elif isinstance(value, str):
        yield from (line for line in value.splitlines() if not line.strip().startswith("#") and "reconcile " in line)


@pytest.mark.parametrize("file", sorted(FILES.iterdir()), ids=lambda path: path.name)
def test_a_file_of_the_pipeline_runs_commands_that_exist_for_a_pull_request(file: Path) -> None:
    commands = list(commands_in(yaml.safe_load(file.read_text())))
    told = [parse(shlex.split(re.split(r" \d?>|[|;]", line[line.index("reconcile ") :])[0])[1:]) for line in commands]
    assert told == [("trial",), ("logs",)]
    assert re.search(
        r"^ *-? *event: \[?pull_request|^on: \[pull_request\]|^ +- pull_request$", file.read_text(), re.MULTILINE
    )


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> OneRecipeFleet:
    """`jot` at its first release, and a clone of its repository, in which act runs."""
    made = make_one_recipe_fleet(tmp_path_factory.mktemp("pipeline"))
    assert made.run().code == 0
    git(made.folder, "clone", "--quiet", str(made.upstream.path), "clone")
    (made.folder / "actions.yaml").write_text((FILES / "actions.yaml").read_text().replace("notes", "jot"))
    return made


def proposed(commit: str) -> Mapping[str, object]:
    """Return the part of a forge's event of a pull request that the workflow reads."""
    return {"pull_request": {"number": 7, "head": {"sha": commit, "ref": "$(touch hacked)"}}}


def run_by_act(fleet: OneRecipeFleet, event: Mapping[str, object]) -> ReconcileResult:
    """Let act run the workflow for a pull request, on this host and without containers. Return what it printed."""
    file = fleet.folder / "event.json"
    file.write_text(json.dumps(event))
    act = ("act", "pull_request", "--workflows", str(fleet.folder / "actions.yaml"), "--eventpath", str(file))
    done = subprocess.run(
        [*act, "--platform", "canon=-self-hosted", "--directory", str(fleet.folder / "clone")],
        env={**fleet.environment, "PATH": f"{fleet.environment['PATH']}:{os.environ['PATH']}"},
        cwd=fleet.folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return ReconcileResult(done.returncode, done.stdout, done.stderr)


def printed(result: ReconcileResult) -> list[str]:
    """Return the lines of the steps, without act's own."""
    return [text for line in result.out.splitlines() for _, mark, text in [line.partition("  | ")] if mark]


def reported(lines: list[str]) -> ET.Element:
    """Return the JUnit document that a step printed."""
    start, end = (next(at for at, line in enumerate(lines) if line.startswith(f"<{tag}")) for tag in ("?xml", "/tests"))
    return ET.fromstring("\n".join(lines[start : end + 1]))  # noqa: S314  Canon has just written it


@pytest.mark.needs("act")
def test_a_pull_request_is_tried_on_the_canonicals_data_and_its_run_shows_gate_log_and_junit(
    fleet: OneRecipeFleet,
) -> None:
    before, canonical, commit = fleet.remembered(), fleet.canonical(), fleet.propose(PULL)
    done = run_by_act(fleet, proposed(commit))
    assert done.code == 0, done
    lines = printed(done)
    assert f"base: {FIRST}: the canonical, with its data" in lines
    assert [line.split()[1:4] for line in lines if line.startswith("not-ref ")] == [["does", "not", "hold"]]
    [trial] = [line.rpartition("/")[2] for line in lines if line.startswith("log: ")]
    assert f"==> {trial} upgrade <==" in lines
    cases = {case.get("name"): len(case) for case in reported(lines).iter("testcase")}
    assert (cases["install"], cases["upgrade"]) == (0, 0)
    assert (fleet.remembered(), fleet.canonical()) == (before, canonical)
    assert not list(fleet.folder.rglob("hacked"))
    fleet.assert_nothing_is_left()


@pytest.mark.needs("act")
def test_a_red_pull_request_fails_the_run_which_still_shows_log_and_junit(
    fleet: OneRecipeFleet,
) -> None:
    before = fleet.remembered()
    done = run_by_act(fleet, proposed(fleet.propose(PULL, app_py=BROKEN)))
    assert done.code == 1, done
    lines = printed(done)
    assert [line for line in lines if line.startswith("red: install ")]
    assert any(line.endswith(" install <==") for line in lines)
    failed = [case.get("name") for case in reported(lines).iter("testcase") if case.find("failure") is not None]
    assert failed == ["install"]
    assert "exit status 4" in done.out, done.out
    assert fleet.remembered() == before
