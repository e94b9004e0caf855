"""The leap and the fall of a release on the real Swarm, over an app that migrates its data."""

import os
from collections.abc import Iterator

import pytest

from tests.cli.one_recipe_fleet import FIRST, SECOND, OneRecipeFleet
from tests.reconcile_command import BIN
from tests.repositories import UpstreamRepository
from tests.swarm.local_engine import LocalEngine
from tests.swarm.test_ways_on_swarm import compose, declare, tried
from tests.tiny_fleet import APP
from tests.ways_apps import MIGRATING


@pytest.fixture(scope="module")
def jot(engine: LocalEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OneRecipeFleet]:
    """The app at its second release, which migrates the data of the first, on the engine."""
    variables = {"DOCKER_HOST": engine.host, "PATH": f"{BIN}:{engine.client}:{os.environ['PATH']}"}
    jot = OneRecipeFleet(tmp_path_factory.mktemp("jot"), variables)
    UpstreamRepository.make(jot.upstream.path)
    for version, app in ((FIRST, APP.decode()), (SECOND, MIGRATING)):
        declare(jot)
        jot.upstream.commit({"compose.yml": compose(version, app), ".env.sample": b"OLDER=\nNEWER=\n"})
        jot.upstream.tag(version)
        done = jot.run(timeout=900)
        assert done.code == 0, done
    yield jot
    assert engine.below(jot.state / "work") == frozenset()


def test_a_leap_and_a_careful_fall_from_the_kept_generation_are_told_as_open(jot: OneRecipeFleet) -> None:
    leap, fall = tried(jot, "leap"), tried(jot, "fall")
    assert [(case["from"], case["generation"], case["answer"]) for case in leap["cases"]] == [(FIRST, 1, "yes")], leap
    assert [case["answer"] for case in fall["cases"]] == ["yes", "yes", "yes"], fall
    assert fall["proves_writes"], fall


def test_a_careless_migration_that_is_killed_is_told_as_a_danger(jot: OneRecipeFleet) -> None:
    declare(jot, 'NEWER = "careless"')
    fall = tried(jot, "fall")
    assert (fall["answer"], fall["kind"], fall["dangerous"]) == ("no", "damages", True), fall
