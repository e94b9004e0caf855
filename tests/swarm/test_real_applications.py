"""The real applications that Canon's users run, from nothing to canonicals whose data has lived through an upgrade."""

import json
import sys
import urllib.request
from collections.abc import Iterator

import pytest

from tests.command import first_document, look_of
from tests.swarm.engine import Engine
from tests.swarm.sweep import Sweep, sweep
from tests.swarm.upstreams import versions

REAL = (
    "bluesky-pds",
    "custom-html",
    "custom-html-tiny",
    "ghost",
    "gitea",
    "keycloak",
    "matrix-synapse",
    "mumble",
)
# Small, and nothing without the real Keycloak beside it.
CLIENT = "keycloak-client"
ALL = (*REAL, CLIENT)


@pytest.fixture(scope="module")
def real(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sweep]:
    with sweep(tmp_path_factory.mktemp("real"), engine, ALL) as world:
        world.publish(*ALL)
        yield world


def test_eight_real_applications_and_a_client_of_one_go_from_nothing_to_canonicals(real: Sweep) -> None:
    done = real.run("-o", "wide")
    sys.stdout.write(done.out)
    assert done.code == 0, done.out + done.err
    assert {name: have.version for name, have in real.recorded().items()} == {name: versions(name)[0] for name in ALL}
    assert real.left() == frozenset()


def test_a_second_pass_tries_nothing_and_drift_finds_nothing(real: Sweep) -> None:
    tried, recorded = real.trials(), real.recorded()
    again = real.run()
    assert again.code == 0, again.out
    assert (real.trials(), real.recorded()) == (tried, recorded)
    before = look_of(real.canon.state)
    assert real.run("drift").code == 0
    assert look_of(real.canon.state) == before


def test_new_releases_are_promoted_over_data_that_has_lived(real: Sweep) -> None:
    real.publish(*ALL)
    planned = real.json("--dry-run")
    assert (planned.code, {planned.row(name)["action"] for name in ALL}) == (2, {"promote"})
    done = real.run("-o", "wide")
    sys.stdout.write(done.out)
    assert done.code == 0, done.out + done.err
    assert {name: have.lineage for name, have in real.recorded().items()} == {name: versions(name) for name in ALL}
    assert real.run("drift").code == 0
    assert real.left() == frozenset()


def test_a_raised_canonical_is_used_over_http_and_gone_without_residue(real: Sweep) -> None:
    before = look_of(real.canon.state / "canonicals")
    copy = real.canon.start("raise", "gitea", "-o", "json")
    try:
        told = json.loads(first_document(copy))
        with urllib.request.urlopen(f"{told['url']}/api/v1/version", timeout=60) as answer:  # noqa: S310 - of our own making
            version = json.load(answer)["version"]
        assert told["version"].endswith(f"+{version}")
        copy.terminate()
        copy.communicate(timeout=300)
    finally:
        copy.kill()
    assert copy.returncode == 0
    assert real.left() == frozenset()
    assert look_of(real.canon.state / "canonicals") == before
