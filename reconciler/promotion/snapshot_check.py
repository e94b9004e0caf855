"""Proves that a snapshot can be deployed: deploys it in an empty slot, checks its data, and removes the slot."""

from collections.abc import Callable
from pathlib import Path

from desired.model import Recipe
from reconciler.deploy.app_health import check_up
from reconciler.deploy.app_set import AppSet
from reconciler.deploy.deploying import deploy_app_set
from reconciler.deploy.recipe_commands import run_command
from reconciler.deploy.slot_lifetime import close_slot, open_slot
from reconciler.errors import InfrastructureError, RecipeError
from reconciler.ports.host import Host


def check_snapshot(host: Host, recipe: Recipe, folder: Path, log: Path, unpack: Callable[[Path], AppSet]) -> None:
    """Prove that a snapshot of `recipe` can be deployed: deploy it in a new slot, check its data, and remove the slot.

    * `folder`: the recipe's locked working folder.
    * `log`: the file for the output.
    * `unpack`: a function that unpacks the snapshot into the given folder, and returns the app set in it.

    Raise RecipeError if the recipe is to blame for a failure, else InfrastructureError.
    """
    with open_slot(host, folder, "raised", log) as slot:
        deploy_app_set(slot, unpack(slot.folder / "source"))
        if recipe.data.check is not None:
            run_command(slot, slot.apps[recipe.name], recipe.data.check, "data.check")
        check_up(slot)
        closing = close_slot(slot)
    if closing.remaining:
        raise InfrastructureError(f"the slot of the deployed snapshot could not be removed: {closing.remaining[0]}")
    if closing.altered:
        raise RecipeError(f"deployed from its snapshot, it changed its own tracked file {closing.altered[0]}")
