"""Proves that a snapshot can be deployed: deploys it in an empty slot, checks its data, and removes the slot."""

from collections.abc import Callable
from pathlib import Path

from desired.model import Recipe
from reconciler.deploy.app_health import check_up
from reconciler.deploy.app_set import AppSet
from reconciler.deploy.deploying import deploy_app_set
from reconciler.deploy.recipe_commands import run_command
from reconciler.deploy.slot_lifetime import close_slot, open_slot
from reconciler.errors import InfrastructureError, NeededAppError, RecipeError, TimedOutError
from reconciler.ports.host import Host


def check_snapshot(host: Host, recipe: Recipe, folder: Path, log: Path, unpack: Callable[[Path], AppSet]) -> None:
    """Prove that a snapshot of `recipe` can be deployed: deploy it in a new slot, check its data, and remove the slot.

    * `folder`: the recipe's locked working folder.
    * `log`: the file for the output.
    * `unpack`: a function that unpacks the snapshot into the given folder, and returns the app set in it.

    Raise RecipeError if the recipe is to blame for a failure, else InfrastructureError.
    """
    with open_slot(host, folder, "raised", log) as slot:
        if not slot.was_empty:
            raise InfrastructureError("the slot for the snapshot was not empty: something of an earlier try is left")
        deploy_app_set(slot, unpack(slot.folder / "source"))
        if recipe.data.check is not None:
            run_command(slot, slot.apps[recipe.name], recipe.data.check, "data.check")
        check_up(slot)
        closing = close_slot(slot)
    if closing.remaining:
        raise InfrastructureError(f"the slot of the deployed snapshot could not be removed: {closing.remaining[0]}")
    if closing.altered:
        raise RecipeError(f"deployed from its snapshot, it changed its own tracked file {closing.altered[0]}")


def check_again_if_late(host: Host, recipe: str, check: Callable[[], None], tell: Callable[[str], object]) -> None:
    """Call `check`, which checks a snapshot of `recipe` by `check_snapshot`. If that takes too long, call it once more.

    A busy host may be why the first call took too long, so only the second decides. `tell` is then called once, with a
    remark: what took too long, how busy the host was, and what the second call blames. Raise the error of the last
    call.
    """
    try:
        check()
    except (RecipeError, NeededAppError) as failed:
        if not _is_late(failed):
            raise
        late = failed
    else:
        return
    pressure = (late.pressure if isinstance(late, TimedOutError) else "") or host.commands.pressure()
    host.progress.step(recipe, f"timed out: deploying its snapshot once more: {late.message}")
    remark = f"the first try to deploy its snapshot timed out: {late.message} (host: {pressure}); the second try"
    try:
        check()
    except RecipeError:
        tell(f"{remark} decides: slow recipe")
        raise
    except Exception:
        tell(f"{remark} could not be judged")
        raise
    tell(f"{remark} decides: slow host")


def _is_late(failed: RecipeError | NeededAppError) -> bool:
    """Return whether a deployment failed because something took too long, in the recipe's own app or a needed one."""
    return isinstance(failed, TimedOutError) or (isinstance(failed, NeededAppError) and failed.timed_out)
