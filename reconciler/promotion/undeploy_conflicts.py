"""Undeploys kept deployments that conflict with a trial by hand or a rollback, and deploys them again afterwards."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from desired.model import Fleet, Recipe
from reconciler.core.needs import conflicting_recipes
from reconciler.errors import BusyError, InterruptedPassError
from reconciler.ports.host import Host
from reconciler.promotion.running_canonical import redeploy_canonical, undeploy_conflicting
from state.folder.lock import hold
from state.state_errors import LockHeldError


@contextmanager
def without_conflicts(host: Host, fleet: Fleet, recipe: Recipe) -> Iterator[None]:
    """Undeploy the kept deployments that share an app with `recipe`. Deploy them again after the `with` block.

    Meanwhile hold the pass lock, so that no pass deploys them. If there is nothing to undeploy, the lock is not taken.
    Raise BusyError if another process holds the lock. If a signal ends the block, the deployments stay undeployed until
    the next pass.
    """
    names = deployed_conflicts(host, fleet, recipe)
    if not names:
        yield
        return
    with _pass_lock(host, recipe, names[0]), undeployed(host, fleet, recipe, names):
        yield


@contextmanager
def undeployed(host: Host, fleet: Fleet, recipe: Recipe, names: Sequence[str]) -> Iterator[None]:
    """Undeploy the kept deployments that share an app with `recipe`. The caller holds the pass lock.

    `names` are the recipes of these deployments. After the `with` block, their canonicals are deployed again. If a
    signal ends the block, they stay undeployed until the next pass.
    """
    if names:
        host.progress.step(recipe.name, f"undeployed meanwhile: {', '.join(names)}")
    try:
        undeploy_conflicting(host, fleet.recipes, recipe)
        yield
    except InterruptedPassError:
        names = ()
        raise
    finally:
        _redeploy_all(host, fleet, names)


def deployed_conflicts(host: Host, fleet: Fleet, recipe: Recipe) -> tuple[str, ...]:
    """Return the names of the recipes whose kept deployment shares an app with `recipe`."""
    return tuple(name for name in conflicting_recipes(fleet.recipes, recipe) if _has_deployment(host, name))


def _has_deployment(host: Host, name: str) -> bool:
    """Return whether the recipe `name` has a kept deployment, or a record of one."""
    return host.state.kept_slot(name).is_dir() or host.state.deployment_record_path(name).exists()


@contextmanager
def _pass_lock(host: Host, recipe: Recipe, conflicting: str) -> Iterator[None]:
    """Hold the pass lock during the `with` block. Raise BusyError if another process holds it.

    The error says that `conflicting`, a recipe that is kept running, cannot be undeployed for a trial of `recipe`.
    """
    why = f"{recipe.name}: {conflicting} is kept running, conflicts with the trial, and cannot be undeployed now"
    with ExitStack() as stack:
        try:
            stack.enter_context(hold(host.state.lock, f"trial {recipe.name}"))
        except LockHeldError as held:
            raise BusyError(f"{why}: {held}", held.hint, host.state.lock) from held
        yield


def _redeploy_all(host: Host, fleet: Fleet, names: Sequence[str]) -> None:
    """Deploy the canonicals of the recipes `names` again, to be kept running. Leave out recipes without a canonical."""
    have = host.registry.read().canonicals if names else {}
    for name in names:
        if name in have:
            redeploy_canonical(host, fleet, have[name])
