"""The real applications that Canon's users run, from nothing to canonicals whose data has lived through an upgrade."""

import json
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from attrs import frozen

from tests.folders import entries_below
from tests.reconcile_command import read_document
from tests.swarm.local_engine import LocalEngine
from tests.swarm.published_fleet import PublishedFleet, published_fleet
from tests.swarm.recipe_upstreams import versions

# Eight real ones; the client is small, and nothing without the real Keycloak beside it.
SWEEPS = {
    "sites": ("bluesky-pds", "custom-html", "custom-html-tiny", "ghost", "gitea", "matrix-synapse", "mumble"),
    "sign-on": ("keycloak", "keycloak-client"),
}


@frozen
class KnownWays:
    """What the ways are known to answer: the way back and its kind, and the exit codes of a stop."""

    back: tuple[str, str | None]
    exit_codes: Mapping[str, int]


# docs/upgrades.md has those of the other applications.
WAYS = {
    "gitea": KnownWays(("no", "refuses"), {"app": 0}),
    "matrix-synapse": KnownWays(("yes", None), {"app": 0, "db": 0}),
    "mumble": KnownWays(("yes", None), {"app": 15}),
}


@frozen
class Real:
    """A fleet of real applications, whose first releases are published."""

    world: PublishedFleet
    names: tuple[str, ...]


@pytest.fixture(scope="module", params=SWEEPS)
def real(
    engine: LocalEngine, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Real]:
    names = SWEEPS[request.param]
    with published_fleet(tmp_path_factory.mktemp("real"), engine, names) as world:
        world.publish(*names)
        yield Real(world, names)


def test_real_applications_go_from_nothing_to_canonicals(real: Real) -> None:
    world, names = real.world, real.names
    done = world.run("-o", "wide")
    sys.stdout.write(done.out)
    assert done.code == 0, done.out + done.err
    assert {name: have.version for name, have in world.recorded().items()} == {
        name: versions(name)[0] for name in names
    }
    assert world.left() == frozenset()


def test_a_second_pass_tries_nothing_and_drift_finds_nothing(real: Real) -> None:
    world = real.world
    tried, recorded = world.trials(), world.recorded()
    again = world.run()
    assert again.code == 0, again.out
    assert (world.trials(), world.recorded()) == (tried, recorded)
    before = entries_below(world.canon.state)
    assert world.run("drift").code == 0
    assert entries_below(world.canon.state) == before


def test_new_releases_are_promoted_over_data_that_has_lived(real: Real) -> None:
    world, names = real.world, real.names
    world.publish(*names)
    planned = world.json("--dry-run")
    assert (planned.code, {planned.row(name)["action"] for name in names}) == (2, {"promote"})
    done = world.run("-o", "wide")
    sys.stdout.write(done.out)
    assert done.code == 0, done.out + done.err
    assert {name: have.lineage for name, have in world.recorded().items()} == {name: versions(name) for name in names}
    assert world.run("drift").code == 0
    assert world.left() == frozenset()


@frozen
class AnsweredWays:
    """What the ways answered, by recipe and way. `is_unchanged` is whether the canonicals are what they were before."""

    rows: Mapping[str, Mapping[str, Mapping[str, Any]]]
    is_unchanged: bool


@pytest.fixture(scope="module")
def ways(real: Real) -> AnsweredWays:
    world = real.world
    before = world.recorded(), entries_below(world.canon.state / "canonicals")
    recipes = tuple(word for name in WAYS for word in ("-r", name))
    # What took too long on a busy machine is tried again by the second pass, which shows nothing else.
    told = [world.json("--ways=back,stop", *recipes) for _ in range(2)]
    assert told[-1].code == 0, told[-1].out
    after = world.recorded(), entries_below(world.canon.state / "canonicals")
    rows = {name: {each["way"]: each for one in told for each in one.row(name)["ways"]} for name in WAYS}
    return AnsweredWays(rows, after == before)


@pytest.mark.parametrize("real", ["sites"], indirect=True)
@pytest.mark.parametrize("name", WAYS)
def test_the_way_back_and_the_exit_codes_are_those_that_are_known(ways: AnsweredWays, name: str) -> None:
    back, stop = ways.rows[name]["back"], ways.rows[name]["stop"]
    assert (back["answer"], back["kind"]) == WAYS[name].back, back
    assert (back["to"], back["proves_writes"]) == (versions(name)[0], True), back
    assert (stop["answer"], stop["proves_writes"]) == ("yes", True), stop
    assert stop["stop"]["exit_codes"] == WAYS[name].exit_codes, stop


@pytest.mark.parametrize("real", ["sites"], indirect=True)
def test_ways_change_no_canonical_and_leave_nothing(real: Real, ways: AnsweredWays) -> None:
    assert ways.is_unchanged
    assert real.world.left() == frozenset()


@pytest.mark.parametrize("real", ["sites"], indirect=True)
def test_a_raised_canonical_is_used_over_http_and_gone_without_residue(real: Real) -> None:
    world = real.world
    before = entries_below(world.canon.state / "canonicals")
    copy = world.canon.start("raise", "gitea", "-o", "json")
    try:
        told = json.loads(read_document(copy))
        with urllib.request.urlopen(f"{told['url']}/api/v1/version", timeout=60) as answer:  # noqa: S310 - of our own making
            version = json.load(answer)["version"]
        assert told["version"].endswith(f"+{version}")
        copy.terminate()
        copy.communicate(timeout=300)
    finally:
        copy.kill()
    assert copy.returncode == 0
    assert world.left() == frozenset()
    assert entries_below(world.canon.state / "canonicals") == before
