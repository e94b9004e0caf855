"""A canonical that is kept running on the real Swarm: whatever falls of it is named, and raised by the next pass."""

import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.folders import entries_below
from tests.swarm.counting_relay import EngineUse, counted_engine
from tests.swarm.local_engine import LocalEngine
from tests.swarm.published_fleet import PublishedFleet, published_fleet
from tests.swarm.recipe_upstreams import tree

NAME, VERSION = "custom-html", "1.0.0+1.22.1"
OTHER_IMAGE = "127.0.0.1:5000/nginx:1.26.3"
KEPT = '[tiers]\nbackup = "not what is shown"\nrestore = "not what is shown"\n[canonical]\nkeep = "running"\n'
# The recipe as it is, with a secret.
SECRET_FILE = """\
version: "3.8"
services:
  app:
    secrets: [token]
secrets:
  token:
    external: true
    name: ${STACK_NAME}_token_${SECRET_TOKEN_VERSION}
"""
SAMPLE = '\nSECRET_TOKEN_VERSION=v1 # length=32\nCOMPOSE_FILE="compose.yml:compose.secret.yml"\n'
PATIENCE = 120.0
# Starts of Docker's command in the promotion, and requests of the engine in a pass in which nothing moves.
MOST_STARTS, MOST_CALLS = 40, 8


class Kept:
    """The fleet of one recipe, and its deployment below `kept/` as Docker tells of it."""

    def __init__(self, world: PublishedFleet, use: EngineUse) -> None:
        self.world = world
        self.use = use
        self.docker = world.engine.docker

    def part(self, kind: str) -> str:
        """The name of its one service, volume or secret."""
        mark = self.world.state.kept_slot(NAME)
        (name,) = self.docker(kind, "ls", "--format", "{{.Name}}", "--filter", f"label=canon.slot={mark}").split()
        return name

    def page(self) -> str:
        """What it serves of the marked data."""
        label = '{{index .Spec.Labels "canon.address"}}'
        url = self.docker("service", "inspect", "--format", label, self.part("service")).split()[1]
        with urllib.request.urlopen(f"{url}/notes.html", timeout=30) as answer:  # noqa: S310 - of our own making
            told: str = answer.read().decode()
        return told

    def objects(self) -> dict[str, str]:
        """Return what Docker has of the deployment: for each kind with an object, what it tells of these objects."""
        found = {}
        for kind in ("service", "volume", "secret", "config", "network"):
            names = self.docker(
                kind, "ls", "--quiet", "--filter", f"label=canon.slot={self.world.state.kept_slot(NAME)}"
            )
            if names:
                found[kind] = self.docker(kind, "inspect", *names.split())
        tasks = self.docker(
            "service", "ps", "--no-trunc", "--format", "{{.ID}} {{.DesiredState}}", self.part("service")
        )
        return {**found, "task": tasks}

    def scale(self, number: int) -> None:
        self.docker("service", "scale", "--detach", f"{self.part('service')}={number}")

    def without_tasks(self) -> None:
        """Wait until no container holds its volume any more."""
        until = time.monotonic() + PATIENCE
        while self.docker("ps", "--all", "--quiet", "--filter", f"volume={self.part('volume')}"):
            assert time.monotonic() < until
            time.sleep(0.2)

    def settled(self) -> None:
        until = time.monotonic() + PATIENCE
        while (
            self.docker("service", "ls", "--format", "{{.Replicas}}", "--filter", f"name={self.part('service')}")
            != "1/1"
        ):
            assert time.monotonic() < until
            time.sleep(0.2)


@pytest.fixture(scope="module")
def kept(engine: LocalEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    folder = tmp_path_factory.mktemp("kept")
    with counted_engine(folder / "use", engine) as use, published_fleet(folder / "fleet", use.engine, [NAME]) as world:
        files = {path: file.read_bytes() for path, file in tree(NAME, VERSION).items()}
        files |= {"compose.secret.yml": SECRET_FILE.encode(), ".env.sample": files[".env.sample"] + SAMPLE.encode()}
        world.upstreams[NAME].commit(files)
        world.upstreams[NAME].tag(VERSION, annotated=True)
        declare(world, KEPT)
        try:
            yield Kept(world, use)
        finally:
            declare(world, "")
            world.run(timeout=300)


def declare(world: PublishedFleet, more: str) -> None:
    """The recipe as the fleet declares it, and `more`."""
    declared: Path = world.canon.fleet / "recipes" / NAME / "recipe.toml"
    plain = declared.read_text().partition("[tiers]")[0]
    declared.write_text(plain + more)


def test_a_canonical_is_promoted_and_kept_running_and_a_second_pass_does_nothing(kept: Kept) -> None:
    done = kept.world.json()
    assert (done.code, done.row(NAME)["result"]) == (0, "promoted"), done.out
    assert "Grüße an Ada" in kept.page()
    assert len(kept.use.starts) <= MOST_STARTS
    service = kept.docker("service", "inspect", "--format", "{{.ID}} {{.UpdatedAt}}", kept.part("service"))
    kept.use.forget()
    again = kept.world.json()
    assert (len(kept.use.requests) <= MOST_CALLS, kept.use.starts) == (True, []), kept.use.requests
    assert (again.code, again.row(NAME)["result"]) == (0, "none")
    assert kept.docker("service", "inspect", "--format", "{{.ID}} {{.UpdatedAt}}", kept.part("service")) == service
    assert kept.world.run("drift").code == 0


LOOKS = f"""\
--dry-run -o wide; plan; drift; status; status {NAME} -o json; explain; history; events; logs {NAME}; evidence {NAME}; \
audit; doctor; report --html -"""


def test_no_looking_command_changes_an_object_of_docker_or_the_state_folder(kept: Kept) -> None:
    before = kept.objects(), entries_below(kept.world.state.root)
    assert before[0].keys() >= {"service", "volume", "secret", "config", "task"}
    for words in LOOKS.split("; "):
        kept.world.run(*words.split())
        assert (kept.objects(), entries_below(kept.world.state.root)) == before, words


def removed(kept: Kept) -> str:
    service = kept.part("service")
    kept.docker("service", "rm", service)
    return f"service {service} is gone"


def scaled(kept: Kept) -> str:
    kept.scale(0)
    return f"number of service {kept.part('service')} is 0, and was 1"


def of_another_image(kept: Kept) -> str:
    kept.docker("service", "update", "--detach", "--image", OTHER_IMAGE, kept.part("service"))
    return f"image of service {kept.part('service')} is {OTHER_IMAGE}@sha256:"


def emptied(kept: Kept) -> str:
    """Swarm makes the volume anew, and all looks well."""
    volume = kept.part("volume")
    kept.scale(0)
    kept.without_tasks()
    kept.docker("volume", "rm", volume)
    gone = kept.world.json("drift")
    assert (gone.code, gone.row(NAME)["state"]) == (3, "down")
    assert f"volume {volume} is gone" in gone.row(NAME)["reason"]
    kept.scale(1)
    kept.settled()
    return f"content of volume {volume} is new, and was a snapshot's"


def without_secret(kept: Kept) -> str:
    secret = kept.part("secret")
    kept.docker("service", "update", "--detach", "--secret-rm", secret, kept.part("service"))
    kept.docker("secret", "rm", secret)
    return f"secret {secret} is gone"


def started_again(kept: Kept) -> str:
    """It ended by itself, and Swarm has brought it up again: all looks well."""
    service = kept.part("service")
    (container,) = kept.docker("ps", "--quiet", "--filter", f"label=com.docker.swarm.service.name={service}").split()
    kept.docker("kill", container)
    until = time.monotonic() + PATIENCE
    while kept.docker("ps", "--quiet", "--filter", f"label=com.docker.swarm.service.name={service}").split() in (
        [container],
        [],
    ):
        assert time.monotonic() < until
        time.sleep(0.2)
    kept.settled()
    return f"service {service} was started again: its task is "


@pytest.mark.parametrize("fall", [started_again, removed, scaled, of_another_image, emptied, without_secret])
def test_a_deployment_that_goes_down_is_reported_and_redeployed_by_the_next_pass(
    kept: Kept, fall: Callable[[Kept], str]
) -> None:
    tried = kept.world.trials()
    why = fall(kept)
    before = entries_below(kept.world.canon.state)

    told = kept.world.json("drift")

    row = told.row(NAME)
    assert (told.code, row["cause"], row["state"], row["action"]) == (3, "in-sync", "down", "repair")
    assert why in row["reason"]
    assert row["since"] == row["last_up"] is not None
    text = kept.world.run("drift").out
    assert why in text
    assert "last seen up" in text
    assert kept.world.run("status").code == 3
    assert entries_below(kept.world.canon.state) == before

    done = kept.world.json()

    assert (done.code, done.row(NAME)["result"], done.row(NAME)["state"]) == (0, "repaired", "intact"), done.out
    assert kept.world.run("drift").code == 0
    assert "Grüße an Ada" in kept.page()
    assert kept.world.trials() == tried


def test_a_copy_can_be_raised_by_hand_beside_the_kept_deployment(kept: Kept) -> None:
    done = kept.world.json("raise", NAME, "--for", "1s")
    assert (done.code, done.document["version"]) == (0, VERSION), done.err
    assert kept.world.run("drift").code == 0


def test_a_kept_deployment_without_recipe_is_removed_although_no_recipe_has_its_driver(kept: Kept) -> None:
    folder = kept.world.canon.fleet / "recipes"
    (folder / NAME).rename(folder.parent / "aside")
    plain = folder / "plain"
    plain.mkdir()
    (plain / "recipe.toml").write_text(f'[recipe]\nupstream = "{kept.world.forge.url}/plain.git"\n')

    done = kept.world.json()

    assert f"{NAME}: is not to be kept running, and was undeployed" in done.document["notes"]
    mark = f"label=canon.slot={kept.world.state.kept_slot(NAME)}"
    assert [kept.world.engine.listed(kind, mark) for kind in ("service", "volume", "secret", "config")] == [
        frozenset()
    ] * 4
    assert list(kept.world.state.kept.iterdir()) == []
    assert kept.world.recorded()[NAME].version == VERSION
    (plain / "recipe.toml").unlink()
    plain.rmdir()
    (folder.parent / "aside").rename(folder / NAME)
