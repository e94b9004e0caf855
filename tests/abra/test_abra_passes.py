"""Whole passes over a recipe that declares `driver = "abra"`: the real `reconcile`, a real swarm, abra's stand-in."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.abra.installed_abra import InstalledAbra, docker
from tests.git_servers import Forge, forge
from tests.reconcile_command import CanonCommand, ReconcileResult
from tests.repositories import UpstreamRepository
from tests.swarm.recipe_upstreams import lay_fleet, release, versions

# Under a name of its own: other tests have stacks of that recipe on the same engine at the same time.
NAME, OF = "page-by-abra", "custom-html"
OLDER, NEWER = versions(OF)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Forge]:
    with forge(tmp_path / "forge") as real:
        yield real


@pytest.fixture
def canon(tmp_path: Path, served: Forge, installed: InstalledAbra, registry: str) -> CanonCommand:
    assert registry
    folder = tmp_path / "canon"
    lay_fleet(folder / "fleet", served, [OF])
    recipe = (folder / "fleet" / "recipes" / OF).rename(folder / "fleet" / "recipes" / NAME)
    declared = recipe / "recipe.toml"
    told = declared.read_text().replace('driver = "swarm"', 'driver = "abra"')
    declared.write_text(told.replace(f"/{OF}.git", f"/{NAME}.git"))
    return CanonCommand(folder, {"DOCKER_HOST": os.environ["DOCKER_HOST"], "PATH": installed.environment["PATH"]})


def ours() -> set[str]:
    """What bears a mark of Canon's, or a name of this recipe's stacks."""
    kinds = ("service", "secret", "config", "volume", "network")
    names = {name for kind in kinds for name in docker(kind, "ls", "--format", "{{.Name}}").split()}
    return {name for name in names if name.startswith(NAME)}


def result(said: ReconcileResult) -> tuple[int, str]:
    return said.code, said.row(NAME)["result"]


def test_releases_are_promoted_by_abra_over_data_that_has_lived(
    canon: CanonCommand, served: Forge, installed: InstalledAbra
) -> None:
    before = ours()
    upstream = UpstreamRepository.make(served.root / f"{NAME}.git")
    release(upstream, OF, OLDER)
    first = canon.json()
    assert result(first) == (0, "promoted"), first.out
    deployed = len(installed.called("deploy"))
    assert deployed >= 2

    assert result(canon.json()) == (0, "none")
    assert len(installed.called("deploy")) == deployed

    release(upstream, OF, NEWER)
    second = canon.json()
    assert result(second) == (0, "promoted"), second.out
    assert second.row(NAME)["have"]["lineage"] == [OLDER, NEWER]
    assert second.row(NAME)["have"]["evidence"]["tools"].keys() >= {"abra", "docker"}
    assert canon.json("drift").code == 0
    assert installed.called("--chaos") == []
    assert ours() == before


def test_a_deployment_that_only_abra_reports_is_not_promoted(
    canon: CanonCommand, served: Forge, installed: InstalledAbra
) -> None:
    before = ours()
    release(UpstreamRepository.make(served.root / f"{NAME}.git"), OF, OLDER)
    installed.behave(app_deploy="says done")
    told = canon.json()
    assert result(told) == (1, "infrastructure")
    assert "abra app deploy ended with 0, but Docker has nothing of this deployment" in told.row(NAME)["reason"]
    assert told.row(NAME)["have"] is None
    assert ours() == before


def test_a_tree_that_abra_calls_dirty_is_not_blamed_on_the_recipe(
    canon: CanonCommand, served: Forge, installed: InstalledAbra
) -> None:
    """The overlay of the fleet lies in that tree, as where this once went wrong: the pass above shows it committed."""
    before = ours()
    release(UpstreamRepository.make(served.root / f"{NAME}.git"), OF, OLDER)
    installed.behave(app_deploy=f"fatal: {NAME} has locally unstaged changes")
    told = canon.run()
    assert told.code == 1
    assert f"{NAME}: infrastructure, a fault of this host; the recipe is not to blame" in told.out
    assert f"abra app deploy: {NAME} has locally unstaged changes; this is a fault of Canon's: report it" in told.out
    assert canon.json("status").row(NAME)["have"] is None
    assert ours() == before
