"""A trial by hand of a recipe whose canonical is kept running."""

import pytest
from attrs import evolve

from desired.model import Install
from reconciler.errors import BusyError, InfrastructureError, InterruptedPassError
from reconciler.ports.app import RemovalResult
from reconciler.promotion.undeploy_conflicts import without_conflicts
from state.folder.lock import hold
from tests.promotion.kept_world import KEPT, deployment_record_of, kept_versions
from tests.world import World
from tests.world_driver import WorldDriver


def test_a_kept_deployment_is_undeployed_during_a_trial_and_deployed_again_afterwards(world: World) -> None:
    host, fleet = world.host(), world.fleet
    with without_conflicts(host, fleet, fleet.recipes["notes"]):
        assert kept_versions(world) == {}
        assert deployment_record_of(world).missing == "it was undeployed for a trial of notes"
        with pytest.raises(Exception, match="is held by"), hold(world.state.lock, "reconcile"):
            pass
    assert kept_versions(world) == {"notes/notes": "1.0.0"}
    assert deployment_record_of(world).missing == ""
    with hold(world.state.lock, "reconcile"):
        pass


def test_a_kept_deployment_is_deployed_again_after_an_impossible_trial_but_not_after_a_signal(world: World) -> None:
    host, fleet = world.host(), world.fleet
    for error, stands in ((RuntimeError("x"), True), (InterruptedPassError(2), False)):
        with pytest.raises(type(error)), without_conflicts(host, fleet, fleet.recipes["notes"]):
            raise error
        assert bool(kept_versions(world)) == stands


class Stuck(WorldDriver):
    """A driver that cannot take away what is kept of `alpha`."""

    def clear(self, mark: str) -> RemovalResult:
        return RemovalResult(remaining=("volume",)) if mark.endswith("/alpha") else super().clear(mark)


def test_undeployed_recipes_are_deployed_again_even_if_another_cannot_be_undeployed(world: World) -> None:
    for name in ("zeta", "alpha"):
        world.declare(name, **KEPT, install=Install(needs=("notes",)))
        world.tag(name, "1.0.0")
    world.run()
    before = kept_versions(world)
    host, fleet = evolve(world.host(), drivers={"swarm": Stuck(world)}), world.fleet
    recipes = dict(sorted(fleet.recipes.items(), reverse=True))
    with (
        pytest.raises(InfrastructureError, match="alpha: volume of its kept deployment could not be removed"),
        without_conflicts(host, evolve(fleet, recipes=recipes), recipes["notes"]),
    ):
        raise AssertionError("there was no room")
    assert {name for name in kept_versions(world) if not name.startswith("alpha/")} == {
        name for name in before if not name.startswith("alpha/")
    }


def test_nothing_is_undeployed_while_a_pass_runs_and_the_reason_is_given(world: World) -> None:
    host, fleet = world.host(), world.fleet
    with (
        hold(world.state.lock, "reconcile"),
        pytest.raises(
            BusyError, match=r"notes: notes is kept running, conflicts with the trial, .*: .*/lock is held by"
        ),
        without_conflicts(host, fleet, fleet.recipes["notes"]),
    ):
        raise AssertionError("there was no room")
    assert kept_versions(world) == {"notes/notes": "1.0.0"}


def test_a_trial_that_meets_nothing_kept_takes_no_lock(world: World) -> None:
    world.declare("other", **KEPT)
    host, fleet = world.host(), world.fleet
    with hold(world.state.lock, "reconcile"), without_conflicts(host, fleet, fleet.recipes["other"]):
        assert kept_versions(world) == {"notes/notes": "1.0.0"}
