"""Recipes of the shapes that real ones have, from nothing to canonicals whose data has lived through an upgrade."""

import sys
from collections.abc import Iterator

import pytest

from tests.reconcile_command import ReconcileResult
from tests.swarm.local_engine import LocalEngine
from tests.swarm.published_fleet import PublishedFleet, published_fleet
from tests.swarm.recipe_upstreams import versions

SHAPES = ("bot", "counters", "forum", "portal", "wiki")


@pytest.fixture(scope="module")
def shapes(engine: LocalEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PublishedFleet]:
    with published_fleet(tmp_path_factory.mktemp("shapes"), engine, SHAPES) as world:
        yield world


@pytest.fixture(scope="module")
def passes(shapes: PublishedFleet) -> tuple[ReconcileResult, ReconcileResult]:
    """A pass over the first releases, and one over the second."""
    return publish_and_run(shapes), publish_and_run(shapes)


def publish_and_run(shapes: PublishedFleet) -> ReconcileResult:
    shapes.publish(*SHAPES)
    said = shapes.run("-o", "wide")
    sys.stdout.write(said.out)
    return said


@pytest.mark.parametrize("name", SHAPES)
def test_a_recipe_of_a_real_shape_goes_from_nothing_to_promoted_over_data_that_has_lived(
    shapes: PublishedFleet, passes: tuple[ReconcileResult, ReconcileResult], name: str
) -> None:
    assert name in shapes.recorded(), passes[0].out + passes[0].err
    assert shapes.recorded()[name].lineage == versions(name), passes[1].out + passes[1].err


def test_passes_report_success_and_leave_nothing_behind(
    shapes: PublishedFleet, passes: tuple[ReconcileResult, ReconcileResult]
) -> None:
    assert [said.code for said in passes] == [0, 0], passes[0].out + passes[1].out
    assert shapes.left() == frozenset()


def test_drift_finds_nothing_afterwards(
    shapes: PublishedFleet, passes: tuple[ReconcileResult, ReconcileResult]
) -> None:
    assert passes[1].code == 0
    assert shapes.run("drift").code == 0
