from pathlib import Path

import pytest
import yaml

from desired.declarations.declared import read_fleet
from tests.git_servers import Forge
from tests.images.build import read_images
from tests.repositories import UpstreamRepository
from tests.swarm.recipe_upstreams import lay_fleet, names, release, tree, versions


def test_the_fleet_declares_every_recipe_for_the_swarm(tmp_path: Path) -> None:
    fleet = read_fleet(lay_fleet(tmp_path / "fleet", Forge(tmp_path, "http://127.0.0.1:1/git"), names()))
    assert {name: recipe.driver for name, recipe in fleet.recipes.items()} == dict.fromkeys(names(), "swarm")


@pytest.mark.parametrize("name", names())
def test_each_release_of_a_recipe_deploys_the_version_that_its_tag_tells(name: str) -> None:
    images = {image.reference for versions in read_images().values() for image in versions}
    assert len(versions(name)) == 2
    for version in versions(name):
        app = yaml.safe_load(tree(name, version)["compose.yml"].read_text())["services"]["app"]
        assert f"coop-cloud.${{STACK_NAME}}.version={version}" in app["deploy"]["labels"]
        assert app["image"].endswith(":" + version.partition("+")[2].removeprefix("v"))
        assert app["image"] in images


@pytest.mark.parametrize("name", names())
def test_a_release_is_an_annotated_tag_on_the_main_branch(name: str, tmp_path: Path) -> None:
    repository = UpstreamRepository.make(tmp_path / "upstream.git")
    commits = [release(repository, name, version) for version in versions(name)]
    assert commits[-1] == repository.head()
    kinds = repository.git("for-each-ref", "--format=%(objecttype) %(*objectname)", "refs/tags").splitlines()
    assert sorted(kinds) == sorted(f"tag {commit}" for commit in commits)
