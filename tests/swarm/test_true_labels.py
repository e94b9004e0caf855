"""What once hurt those who ran such a sweep, each on the real Swarm: its label, and the lines that a user reads."""

import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from attrs import frozen

from tests.reconcile_command import BIN, ReconcileResult
from tests.swarm.local_engine import LocalEngine
from tests.swarm.published_fleet import PublishedFleet, published_fleet
from tests.swarm.recipe_upstreams import tree, versions

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
    name: ${STACK_NAME}_rotation_key_${SECRET_ROTATION_KEY_VERSION}
"""


@frozen
class Passes:
    """Two passes over the fleet, the second after each recipe of `RECIPES` had a further release."""

    world: PublishedFleet
    first: ReconcileResult
    second: ReconcileResult

    def block(self, said: ReconcileResult, name: str) -> str:
        """Return what a pass printed about one recipe below the table."""
        found = re.search(rf"^{name}: .*(?:\n  .*)*", said.out, re.MULTILINE)
        assert found, said.out
        return found[0]

    def row(self, said: ReconcileResult, name: str) -> Mapping[str, str]:
        """The table's words of it, by column."""
        head, *lines = said.out.splitlines()
        columns = [(word[0], word.start()) for word in re.finditer(r"\S+", head)]
        ends = [start for _, start in columns[1:]] + [None]
        line = next(line for line in lines if line.startswith(f"{name} "))
        return {word: line[start:end].strip() for (word, start), end in zip(columns, ends, strict=True)}

    def logs(self, name: str) -> int:
        return len([path for path in (self.world.state.logs / name).iterdir() if path.is_dir()])


@pytest.fixture(scope="module")
def passes(engine: LocalEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Passes]:
    folder = tmp_path_factory.mktemp("labels")
    with published_fleet(folder, engine, RECIPES) as world:
        world.canon.variables = {
            **world.canon.variables,
            "PATH": f"{BIN}:{engine.client}:{without('git-lfs', folder / 'bin')}",
        }
        declare(world, "unseeded", "custom-html", UNSEEDED)
        declare(world, "endless", "slow-start", ENDLESS)
        secret = {"compose.secret.yml": SECRET_FILE, ".env.sample": b"COMPOSE_FILE=compose.yml:compose.secret.yml\n"}
        declare(world, "secretless", "custom-html", SECRETLESS, secret)
        world.publish(*RECIPES)
        first = run_and_print(world)
        world.publish(*RECIPES)
        yield Passes(world, first, run_and_print(world))


def declare(world: PublishedFleet, name: str, of: str, declared: str, files: Mapping[str, bytes] | None = None) -> None:
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


def run_and_print(world: PublishedFleet) -> ReconcileResult:
    said = world.run()
    sys.stdout.write(said.out)
    assert world.left() == frozenset()
    return said


@pytest.mark.parametrize(
    ("name", "label", "why"),
    [
        ("secretless", "red", ": secretless: nothing makes the secret rotation_key"),
        ("unseeded", "red", "GET /seeded.html is answered with 404, not 200"),
        ("endless", "red", "not ready after 20 s: app has 0 of 1 up: its newest task is starting"),
        ("gitea", "infrastructure", "required and missing here: git-lfs"),
        ("broken-base", "red", "app fails again and again"),
    ],
)
def test_a_first_release_that_fails_has_a_label_that_says_so_and_no_canonical(
    passes: Passes, name: str, label: str, why: str
) -> None:
    told = passes.block(passes.first, name)
    assert told.startswith(f"{name}: {label}, ")
    assert f"failing    install {'could not be judged' if label == 'infrastructure' else 'failed'}" in told
    assert why in told
    assert "\n  canonical  none\n" in told
    assert passes.row(passes.first, name)["HAVE"] == "-"
    assert name == "broken-base" or name not in passes.world.recorded()


def test_a_secret_that_nothing_makes_and_a_tool_that_is_not_here_are_named_before_anything_is_deployed(
    passes: Passes,
) -> None:
    for name in ("secretless", "gitea"):
        logs = [path.read_text() for path in (passes.world.state.logs / name).rglob("*") if path.is_file()]
        assert not any("docker stack deploy" in log or "app: " in log for log in logs)


@pytest.mark.parametrize("name", ["unseeded", "endless"])
def test_a_timeout_beside_others_is_tried_once_more_alone_with_the_hosts_load_reported(
    passes: Passes, name: str
) -> None:
    note = next(line for line in passes.first.out.splitlines() if line.startswith(f"note: {name}: "))
    assert re.search(r"a first run timed out: .*\(host: load [\d.]+ on \d+ cores, memory .*\)", note)
    assert note.endswith("the second run decides: slow recipe")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("gitea-readonly", "app fails again and again"),
        ("gitea-readonly", "| app: Command error: open /etc/gitea/app.ini: permission denied"),
        ("rolled-back", "Swarm rolled app back to what ran before"),
    ],
)
def test_a_release_that_breaks_over_data_that_has_lived_is_red_and_leaves_the_canonical(
    passes: Passes, name: str, why: str
) -> None:
    before, after = versions(name)
    told = passes.block(passes.second, name)
    assert told.startswith(f"{name}: red, ")
    assert f"\n  release    {after} (" in told
    assert "\n  passed     install\n  failing    upgrade failed" in told
    assert why in told
    assert f"\n  base       {before}: the canonical, with its data\n" in told
    assert f"\n  canonical  {before}, unchanged, intact\n" in told
    assert passes.world.recorded()[name].lineage == (before,)


@pytest.mark.parametrize(
    ("name", "lineage"),
    [
        # What stands for plausible: its first release never started, so no data lived through it.
        ("broken-base", versions("broken-base")[1:]),
        # One with a service that ends, and one that is backed up by a dump.
        ("dumped", versions("dumped")),
        # One whose first start takes long, and no other.
        ("slow-start", versions("slow-start")),
    ],
)
def test_a_recipe_without_faults_is_promoted_in_the_same_pass_as_faulty_ones(
    passes: Passes, name: str, lineage: tuple[str, ...]
) -> None:
    assert passes.row(passes.second, name)["RESULT"] == "promoted"
    assert passes.world.recorded()[name].lineage == lineage


def test_no_faulty_recipe_is_called_promoted_and_the_exit_code_is_that_of_the_worst_result(passes: Passes) -> None:
    well = {"broken-base": 1, "dumped": 2, "gitea-readonly": 1, "rolled-back": 1, "slow-start": 2}
    called = [
        name
        for said in (passes.first, passes.second)
        for name in (*RECIPES, "endless", "secretless", "unseeded")
        if passes.row(said, name)["RESULT"] == "promoted"
    ]
    assert {name: called.count(name) for name in called} == well, passes.first.out + passes.second.out
    assert set(passes.world.recorded()) == set(well)
    assert (passes.first.code, passes.second.code) == (1, 1)


@pytest.mark.parametrize("name", ["endless", "secretless", "unseeded"])
def test_a_red_release_is_not_tried_again_by_the_second_pass(passes: Passes, name: str) -> None:
    assert "was red" in passes.row(passes.second, name)["WHY"]
    assert passes.logs(name) == 1
