"""`reconcile rollback`: makes an older generation the canonical again, and keeps the recipe there."""

from contextlib import suppress

from attrs import frozen

from desired.model import Recipe
from reconciler.cli.command_context import CommandContext, load_context, pass_lock, require_declared
from reconciler.cli.composition import interruptible, make_host, private_files, progress_on_stderr
from reconciler.cli.decisions import author, require_reason
from reconciler.cli.options import Options, print_line
from reconciler.core.exit_codes import DAMAGED, IN_SYNC
from reconciler.core.needs import apps_of, conflicting_recipes, keeps_running
from reconciler.core.observation import CanonicalStatus, State
from reconciler.deploy.slot_lock import lock_slot
from reconciler.errors import CanonError, NeedsPersonError, RecipeError
from reconciler.ports.host import Host
from reconciler.promotion.generations import prune
from reconciler.promotion.rollback import RollbackRequest, roll_back, stored_of
from reconciler.promotion.rollback_target import rollback_target
from reconciler.promotion.running_canonical import deployed_parts, deployment_status
from reconciler.promotion.undeploy_conflicts import undeployed
from reconciler.stages.observe import require_readable_record
from reconciler.stages.recover import recover
from state.records import Canonical, Memory


@frozen
class RollbackOptions:
    """The options of `reconcile rollback`.

    * `reason`: why the person goes back.
    * `to`: the number of the generation to go back to; None for the newest intact generation of an older release.
    """

    reason: str
    to: int | None = None


def rollback(options: Options, name: str, request: RollbackOptions) -> int:
    """Roll the recipe `name` back to an older generation. Return 0, or 3 if its kept deployment is down afterwards.

    Raise CanonError if the older generation does not exist, is not intact or does not come up. The canonical is then
    unchanged.
    """
    context = load_context(options)
    require_declared(context, name)
    require_reason(request.reason)
    with (
        interruptible(),
        private_files(),
        pass_lock(context, f"rollback {name}") as lock,
        progress_on_stderr(options) as progress,
    ):
        host = make_host(context, progress, lock.descriptor)
        for remark in recover(host, context.fleet):
            progress.step(name, remark)
        have = _roll_back(host, context, name, request)
        down = _why_down(host, context.fleet.recipes[name], have)
    said = f"{name}: rolled back to {have.version}, generation {have.copy_of}, recorded as generation {have.generation}"
    left = host.registry.read().rollbacks[name].left
    ends = f"stays there until a release newer than {left}, or: reconcile resume {name}"
    broken = f"; its deployment is down ({down}), and the next pass deploys it" if down else ""
    return print_line(options, "rollback", f"{said}, read back{broken}; {ends}", DAMAGED if down else IN_SYNC)


def _roll_back(host: Host, context: CommandContext, name: str, request: RollbackOptions) -> Canonical:
    """Roll the recipe `name` back. Return its new canonical. Raise CanonError if the recipe cannot be rolled back.

    Kept deployments that share an app with the recipe are undeployed first, and deployed again afterwards.
    """
    fleet, recipe = context.fleet, context.fleet.recipes[name]
    records = host.registry.read()
    require_readable_record(name, records)
    have = records.canonicals.get(name)
    if have is None:
        raise CanonError(f"{name} has no canonical yet", "a pass promotes one: reconcile")
    if not recipe.enrolled:
        raise NeedsPersonError(f"{name} is not enrolled: {recipe.exception}", "enrol it first")
    target = rollback_target(stored_of(host, name, records), request.to)
    drivers = {fleet.recipes[app].driver for app in apps_of(recipe, fleet.recipes)} | host.state.drivers_of_slot(name)
    slot_host = host.with_drivers(drivers)
    with (
        undeployed(host, fleet, recipe, conflicting_recipes(fleet.recipes, recipe)),
        lock_slot(slot_host, name, f"rollback {name}") as folder,
    ):
        canonical = _prove(slot_host, RollbackRequest(fleet, have, target, author(), request.reason, folder))
    with suppress(Exception):  # what cannot be removed now is removed by the next pass
        tuple(prune(host, name, recipe.canonical.generations, records.memories.get(name, Memory(name))))
    return canonical


def _prove(host: Host, request: RollbackRequest) -> Canonical:
    """Deploy the generation in `request`, check it, and make it the canonical. Return the new canonical.

    Raise NeedsPersonError if the generation does not come up or fails its tests. The canonical is then unchanged.
    """
    try:
        return roll_back(host, request)
    except RecipeError as broken:
        name, number = request.target.recipe, request.target.generation
        message = f"{name}: generation {number} ({request.target.version}) does not come up: {broken.message}"
        raise NeedsPersonError(message, f"its canonical is as it was; see: reconcile logs {name}") from broken


def _why_down(host: Host, recipe: Recipe, have: Canonical) -> str:
    """Return why the kept deployment of the canonical `have` is not up.

    Return "" if the kept deployment is up, or if the recipe declares none.
    """
    if not keeps_running(recipe):
        return ""
    status: CanonicalStatus = deployment_status(host, have, deployed_parts(host, {recipe.name: recipe}))
    return "" if status.state is State.INTACT else status.reason
