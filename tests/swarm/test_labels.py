"""What once hurt those who ran such a sweep, each on the real Swarm: its label, and the lines that a user reads."""

import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from attrs import frozen

from tests.command import BIN, Said
from tests.swarm.engine import Engine
from tests.swarm.sweep import Sweep, sweep
from tests.swarm.upstreams import tree, versions

RECIPES = ("broken-base", "dumped", "gitea", "gitea-readonly", "rolled-back", "slow-start")
# More of them that are never well, each a recipe of `tests/swarm/recipes` declared otherwise, or with one file more.
UNSEEDED = """\
[recipe]
upstream = "{forge}/unseeded.git"
driver = "swarm"
[install]
overlays = ["compose.ci.yml"]
[ready]
http = "/seeded.html"
timeout = "30s"
"""
SECRETLESS = UNSEEDED.replace("unseeded", "secretless").replace("seeded.html", "")
ENDLESS = """\
[recipe]
upstream = "{forge}/endless.git"
driver = "swarm"
[install]
env = {{ PREPARING_SECONDS = "3600" }}
overlays = ["compose.ci.yml"]
[ready]
http = "/health"
timeout = "20s"
"""
SECRET_FILE = b"""\
version: "3.8"
services:
  app:
    secrets: [rotation_key]
secrets:
  rotation_key:
    external: true
    name: ${STACK_NAME}_rotation_key_v1
"""


@frozen
class Passes:
    """Two passes over the fleet, the second after each recipe of `RECIPES` had a further release."""

    world: Sweep
    first: Said
    second: Said

    def block(self, said: Said, name: str) -> str:
        """What a pass told of one recipe below the table."""
        found = re.search(rf"^{name}: .*(?:\n  .*)*", said.out, re.MULTILINE)
        assert found, said.out
        return found[0]

    def row(self, said: Said, name: str) -> Mapping[str, str]:
        """The table's words of it, by column."""
        head, *lines = said.out.splitlines()
        columns = [(word[0], word.start()) for word in re.finditer(r"\S+", head)]
        ends = [start for _, start in columns[1:]] + [None]
        line = next(line for line in lines if line.startswith(f"{name} "))
        return {word: line[start:end].strip() for (word, start), end in zip(columns, ends, strict=True)}

    def logs(self, name: str) -> int:
        return len([path for path in (self.world.state.logs / name).iterdir() if path.is_dir()])


@pytest.fixture(scope="module")
def passes(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Passes]:
    folder = tmp_path_factory.mktemp("labels")
    with sweep(folder, engine, RECIPES) as world:
        world.canon.more = {**world.canon.more, "PATH": f"{BIN}:{engine.client}:{without('git-lfs', folder / 'bin')}"}
        declare(world, "unseeded", "custom-html", UNSEEDED)
        declare(world, "endless", "slow-start", ENDLESS)
        secret = {"compose.secret.yml": SECRET_FILE, ".env.sample": b"COMPOSE_FILE=compose.yml:compose.secret.yml\n"}
        declare(world, "secretless", "custom-html", SECRETLESS, secret)
        world.publish(*RECIPES)
        first = told(world)
        world.publish(*RECIPES)
        yield Passes(world, first, told(world))


def declare(world: Sweep, name: str, of: str, declared: str, files: Mapping[str, bytes] | None = None) -> None:
    """A recipe with the first release of another, and `files` over it."""
    upstream, version = world.forge.repository(name), versions(of)[0]
    upstream.commit({path: file.read_bytes() for path, file in tree(of, version).items()} | dict(files or {}))
    upstream.tag(version, annotated=True)
    folder = world.canon.fleet / "recipes" / name
    shutil.copytree(Path(__file__).parent / "fleet" / of, folder)
    (folder / "recipe.toml").write_text(declared.format(forge=world.forge.url))


def without(tool: str, folder: Path) -> Path:
    """A folder that leads to everything on PATH but one tool."""
    folder.mkdir()
    for found in (path for place in os.get_exec_path() for path in Path(place).glob("*")):
        if found.name != tool and not (folder / found.name).exists():
            (folder / found.name).symlink_to(found)
    return folder


def told(world: Sweep) -> Said:
    said = world.run()
    sys.stdout.write(said.out)
    assert world.left() == frozenset()
    return said


def test_no_recipe_that_is_not_well_is_called_promoted(passes: Passes) -> None:
    assert set(passes.world.recorded()) == {"dumped", "gitea-readonly", "rolled-back", "slow-start", "broken-base"}
    for said in (passes.first, passes.second):
        for name in ("unseeded", "endless", "secretless", "gitea"):
            assert passes.row(said, name)["RESULT"] != "promoted"
    assert (passes.first.code, passes.second.code) == (1, 1)
