"""Rolls a recipe of a world in memory back, as the command does."""

from reconciler.core.needs import conflicting_recipes
from reconciler.deploy.slot_lock import lock_slot
from reconciler.promotion.rollback import RollbackRequest, roll_back, stored_of
from reconciler.promotion.rollback_target import rollback_target
from reconciler.promotion.undeploy_conflicts import undeployed
from state.folder.lock import hold
from state.records import Canonical
from tests.world import World


def go_back(world: World, name: str = "notes", to: int | None = None) -> Canonical:
    """Make the generation `to`, by default the one before, the canonical again. Return its new record."""
    world.passes += 1
    host, fleet = world.host(), world.fleet
    recipe, records = fleet.recipes[name], host.registry.read()
    kept = conflicting_recipes(fleet.recipes, recipe)
    with hold(world.state.lock, "test"):
        target = rollback_target(stored_of(host, name, records), to)
        with undeployed(host, fleet, recipe, kept), lock_slot(host, name, "rollback") as folder:
            have = records.canonicals[name]
            return roll_back(host, RollbackRequest(fleet, have, target, "maria", "it loses mails", folder))
