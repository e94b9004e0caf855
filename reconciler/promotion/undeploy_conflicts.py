"""Undeploys kept deployments that conflict with a trial by hand or a rollback, and deploys them again afterwards."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

from desired.model import Fleet, Recipe
from reconciler.core.needs import conflicting_recipes
from reconciler.core.observation import CanonicalStatus, State
from reconciler.core.redeployed import not_up_notes
from reconciler.errors import BusyError, InterruptedPassError
from reconciler.ports.host import Host
from reconciler.promotion.running_canonical import (
    deployed_parts,
    deployment_status,
    redeploy_canonical,
    undeploy_conflicting,
)
from state.folder.lock import hold
from state.records import Canonical
from state.state_errors import LockHeldError

NotUp = Mapping[str, CanonicalStatus]
"""The status of each kept deployment that is down or cannot be observed, by recipe."""


@contextmanager
def without_conflicts(host: Host, fleet: Fleet, recipe: Recipe) -> Iterator[NotUp]:
    """Undeploy the kept deployments that share an app with `recipe`. Deploy them again after the `with` block.

    Yield the same mapping as `undeployed` does; it stays empty if there is nothing to undeploy.
    Meanwhile hold the pass lock, so that no pass deploys them. If there is nothing to undeploy, the lock is not taken.
    Raise BusyError if another process holds the lock. If a signal ends the block, the deployments stay undeployed until
    the next pass.
    """
    names = deployed_conflicts(host, fleet, recipe)
    if not names:
        yield {}
        return
    with _pass_lock(host, recipe, names[0]), undeployed(host, fleet, recipe, names) as not_up:
        yield not_up


@contextmanager
def undeployed(host: Host, fleet: Fleet, recipe: Recipe, names: Sequence[str]) -> Iterator[NotUp]:
    """Undeploy the kept deployments that share an app with `recipe`. The caller holds the pass lock.

    `names` are the recipes of these deployments. After the `with` block, their canonicals are deployed again. If a
    signal ends the block, they stay undeployed until the next pass. Yield a mapping that is filled after the block: it
    then has the status of each of these deployments that is down or cannot be observed, by recipe.
    """
    not_up: dict[str, CanonicalStatus] = {}
    if names:
        host.progress.step(recipe.name, f"undeployed meanwhile: {', '.join(names)}")
    try:
        undeploy_conflicting(host, fleet.recipes, recipe)
        yield not_up
    except InterruptedPassError:
        names = ()
        raise
    finally:
        not_up |= _redeploy_all(host, fleet, names)


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


def _redeploy_all(host: Host, fleet: Fleet, names: Sequence[str]) -> NotUp:
    """Deploy the canonicals of the recipes `names` again, to be kept running. Leave out recipes without a canonical.

    Return the status of those that are down afterwards or cannot be observed, by recipe. Show each as progress, too,
    since the caller may be leaving its `with` block by an error.
    """
    have = host.registry.read().canonicals if names else {}
    for name in names:
        if name in have:
            redeploy_canonical(host, fleet, have[name])
    not_up = deployments_not_up(host, fleet, [have[name] for name in names if name in have])
    for name, note in zip(not_up, not_up_notes(not_up), strict=True):
        host.progress.done(name, note.removeprefix(f"{name}: "))
    return not_up


def deployments_not_up(host: Host, fleet: Fleet, canonicals: Sequence[Canonical]) -> NotUp:
    """Return the status of each kept deployment of `canonicals` that is down or cannot be observed, by recipe.

    All of these recipes are to be kept running. No error is raised.
    """
    parts = deployed_parts(host, {each.recipe: fleet.recipes[each.recipe] for each in canonicals})
    statuses = {each.recipe: deployment_status(host, each, parts) for each in canonicals}
    return {name: status for name, status in statuses.items() if status.state is not State.INTACT}
