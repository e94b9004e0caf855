"""The recipes that Canon's users have in common, as this repository declares them."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from desired.declarations.declared import read_fleet
from tests.reconcile_command import BIN, TREE, CanonCommand
from tests.swarm.test_real_applications import SWEEPS

FOLDER = TREE / "desired"
FLEET = read_fleet(FOLDER)
NAMES = """
    bluesky-pds cryptpad custom-html custom-html-tiny discourse drone ghost gitea hedgedoc immich keycloak lasuite-docs
    lasuite-drive lasuite-meet mailu matrix-synapse mattermost-lts mumble n8n plausible uptime-kuma
""".split()  # noqa: SIM905  # a list that is read as one
RUN_HERE = {name for names in SWEEPS.values() for name in names} - {"keycloak-client"}
WITHOUT_BACKUP = {"custom-html-tiny", "drone", "mailu"}


def text_of(name: str) -> str:
    return (FOLDER / "recipes" / name / "recipe.toml").read_text(encoding="utf-8")


def test_the_fleet_declares_the_twenty_one_common_recipes() -> None:
    assert len(NAMES) == 21
    assert list(FLEET.recipes) == NAMES


def test_each_is_enrolled_from_the_common_forge_and_runs_on_a_swarm() -> None:
    for name, recipe in FLEET.recipes.items():
        assert (recipe.enrolled, recipe.driver) == (True, "swarm")
        assert recipe.upstream == f"https://git.coopcloud.tech/coop-cloud/{name}.git"


@pytest.mark.parametrize("name", NAMES)
def test_each_says_what_of_it_was_run_here_and_what_was_not(name: str) -> None:
    _, run, not_run, *_ = text_of(name).splitlines()
    ran = "the application itself, in this repository's CI, under a recipe written for the purpose."
    assert run == f"# Run here: {ran if name in RUN_HERE else 'nothing.'}"
    assert not_run.startswith("# Not run here: the recipe named below")


def test_domains_that_recipes_name_lie_below_the_zone() -> None:
    named = {
        value
        for recipe in FLEET.recipes.values()
        for key, value in recipe.install.env.items()
        if key.endswith(("DOMAIN", "HOSTNAMES"))
    }
    assert len(named) >= 3
    assert {value.rpartition(".")[2] for value in named} == {FLEET.swarm.zone}


def test_tiers_are_left_out_where_there_is_nothing_to_back_up() -> None:
    left_out = {name for name, recipe in FLEET.recipes.items() if recipe.tiers}
    assert left_out == WITHOUT_BACKUP
    assert all(set(FLEET.recipes[name].tiers) == {"backup", "restore"} for name in left_out)


def test_a_pinned_base_has_its_reason() -> None:
    pinned = {name: recipe.upgrade for name, recipe in FLEET.recipes.items() if recipe.upgrade.base != "canonical"}
    assert {name: upgrade.base for name, upgrade in pinned.items()} == {"plausible": "3.0.1+v2.0.0"}
    assert "never starts" in pinned["plausible"].reason


def test_the_rotation_key_is_a_private_key_of_its_curve_and_another_each_time() -> None:
    recipe = FLEET.recipes["bluesky-pds"]
    [maker] = recipe.install.secrets.values()
    order = (1 << 256) - 432420386565659656852420866394968145599
    made = [
        subprocess.run(
            [sys.executable, *maker[1:]], cwd=recipe.folder, capture_output=True, text=True, timeout=60, check=True
        ).stdout
        for _ in range(3)
    ]
    assert len(set(made)) == 3
    for key in made:
        assert re.fullmatch(r"[0-9a-f]{64}\n", key)
        assert 0 < int(key, 16) < order


def run_alone(canon: CanonCommand, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run it where no name is resolved and no address reached."""
    return subprocess.run(
        ["unshare", "--net", BIN / "reconcile", "--fleet", FOLDER, "--state", canon.state, *words],
        cwd=canon.folder,
        env={**canon.environment, "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture
def canon(tmp_path: Path) -> CanonCommand:
    return CanonCommand(tmp_path)


@pytest.mark.needs("root")
def test_a_dry_run_accepts_them_and_says_of_each_that_its_upstream_is_out_of_reach(canon: CanonCommand) -> None:
    result = run_alone(canon, "--dry-run", "-o", "json")
    document = json.loads(result.stdout)
    assert (result.returncode, document["exit_code"]) == (1, 1)
    assert [row["name"] for row in document["recipes"]] == NAMES
    assert {(row["cause"], row["state"], row["action"]) for row in document["recipes"]} == {
        ("unobservable", "none", "none")
    }
    assert all(f"coop-cloud/{row['name']}.git" in row["reason"] for row in document["recipes"])
    assert document["summary"]["unobservable"] == 21
    assert not canon.state.exists()


@pytest.mark.needs("root")
def test_the_table_has_a_row_for_each(canon: CanonCommand) -> None:
    result = run_alone(canon, "--dry-run", "-o", "wide")
    rows = [line.split()[:6] for line in result.stdout.splitlines()[1:22]]
    assert rows == [[name, "?", "-", "unobservable", "none", "missing"] for name in NAMES]
    assert result.returncode == 1
