"""Which secrets a release on the real Swarm needs and gets, and which settings an upgrade keeps."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.ports.app import RemovalResult
from reconciler.ports.app_secrets import SecretNeed
from tests.swarm.lived_app import checkout
from tests.swarm.local_engine import LocalEngine
from tests.swarm.stacks import NGINX, SwarmSlots, options, release, server


@pytest.fixture
def slots(engine: LocalEngine, tmp_path: Path) -> Iterator[SwarmSlots]:
    slots = SwarmSlots.on(engine, tmp_path / "slots")
    yield slots
    slots.clear()


def test_a_release_needs_the_secrets_that_it_declares(slots: SwarmSlots, tmp_path: Path) -> None:
    assert slots.driver.needs(slots.app(), checkout(tmp_path / "one", NGINX), options()) == (SecretNeed("token", 24),)


def test_a_secret_that_only_a_maker_makes_is_needed_where_a_compose_file_in_use_names_it(
    slots: SwarmSlots, tmp_path: Path
) -> None:
    name = {"external": True, "name": "${STACK_NAME}_key_${SECRET_KEY_VERSION}"}
    files = release(tmp_path / "one", {"app": server()}, sample="SECRET_KEY_VERSION=v1 # generate=false\n")
    more = {"version": "3.8", "services": {"app": {"secrets": ["key"]}}, "secrets": {"key": name}}
    (files / "compose.key.yml").write_text(json.dumps(more))
    app = slots.app("maker")
    assert slots.driver.needs(app, files, options()) == ()
    both = options(settings={"COMPOSE_FILE": "compose.yml:compose.key.yml"})
    assert slots.driver.needs(app, files, both) == (SecretNeed("key"),)


def test_a_secret_with_a_given_version_is_made_although_the_sample_leaves_it_out(
    slots: SwarmSlots, tmp_path: Path
) -> None:
    name = {"external": True, "name": "${STACK_NAME}_key_${SECRET_KEY_VERSION}"}
    app = slots.app("given", key="of the maker")
    one = server(secrets=["key"])
    files = release(tmp_path / "one", {"app": one}, {"secrets": {"key": name}}, "#SECRET_KEY_VERSION=v1\n")
    told = options(settings={"SECRET_KEY_VERSION": "v7"})
    assert slots.driver.needs(app, files, told) == (SecretNeed("key", 32),)
    try:
        slots.driver.deploy(app, files, told)
        slots.settled(app)
        assert slots.run(app, "cat", "/run/secrets/key") == "of the maker"
    finally:
        assert slots.driver.clear(app.mark) == RemovalResult()


def test_an_upgrade_keeps_earlier_settings_and_reports_new_ones(slots: SwarmSlots, tmp_path: Path) -> None:
    app, again = slots.app("upgraded", "settled"), slots.app("raised", "settled")
    old = "TITLE=Old\n#SECRET_KEY_VERSION=v1\nMODE=sample\n"
    files = [
        release(tmp_path / name, {"app": server()}, sample=sample)
        for name, sample in (("one", old), ("two", "TITLE=New\nMODE=sample\nGREETING=Hi\nGIVEN=sample\n"))
    ]
    more = {"MODE": "ours", "GIVEN": "ours"}
    shown = ("sh", "-c", "echo $TITLE $MODE $GREETING $GIVEN")
    try:
        assert slots.driver.deploy(app, files[0], options(settings=more)) == ()
        slots.settled(app)
        said = slots.driver.deploy(app, files[1], options("2.0.0+2", settings=more))
        assert said == ("2.0.0+2 has new settings, to add in an upgrade: GREETING",)
        slots.settled(app)
        assert slots.run(app, *shown) == "Old ours Hi ours\n"

        assert slots.driver.stop(app) == RemovalResult()
        slots.driver.save(app, tmp_path)
        slots.driver.load(again, tmp_path)
        assert slots.driver.deploy(again, files[1], options("2.0.0+2")) == ()
        slots.settled(again)
        assert slots.run(again, *shown) == "Old sample Hi sample\n"
    finally:
        assert slots.driver.clear(app.mark) == slots.driver.clear(again.mark) == RemovalResult()
