"""`reconcile rollback`: makes an older generation the canonical again, and keeps the recipe there."""

from contextlib import suppress

from attrs import frozen

from reconciler.cli.command_context import CommandContext, load_context, pass_lock, require_declared
from reconciler.cli.composition import interruptible, make_host, private_files, progress_on_stderr
from reconciler.cli.decisions import author, require_reason
from reconciler.cli.options import Options, print_line
from reconciler.core.needs import apps_of, conflicting_recipes
from reconciler.core.redeployed import code_of_not_up, not_up_notes
from reconciler.deploy.slot_lock import lock_slot
from reconciler.errors import CanonError, NeedsPersonError, RecipeError
from reconciler.ports.host import Host
from reconciler.promotion.generations import prune
from reconciler.promotion.rollback import RollbackRequest, roll_back, stored_of
from reconciler.promotion.rollback_target import rollback_target
from reconciler.promotion.undeploy_conflicts import NotUp, undeployed
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
    """Roll the recipe `name` back to an older generation. Return the exit code.

    * 0: every kept deployment that was undeployed meanwhile is up again.
    * 3: one of them is down.
    * 1: it cannot be observed whether they are up.

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
        line, code = roll_back_and_read(make_host(context, progress, lock.descriptor), context, name, request)
    return print_line(options, "rollback", line, code)


def roll_back_and_read(host: Host, context: CommandContext, name: str, request: RollbackOptions) -> tuple[str, int]:
    """Clean up after dead passes, and roll the recipe `name` back. Return the line to print, and the exit code.

    The line names each kept deployment that was undeployed meanwhile and is not up again. The caller holds the pass
    lock. Raise CanonError if the recipe cannot be rolled back.
    """
    for remark in recover(host, context.fleet):
        host.progress.step(name, remark)
    have, not_up = _roll_back(host, context, name, request)
    said = f"{name}: rolled back to {have.version}, generation {have.copy_of}, recorded as generation {have.generation}"
    left = host.registry.read().rollbacks[name].left
    ends = f"stays there until a release newer than {left}, or: reconcile resume {name}"
    return "; ".join((f"{said}, read back", ends, *not_up_notes(not_up))), code_of_not_up(not_up)


def _roll_back(host: Host, context: CommandContext, name: str, request: RollbackOptions) -> tuple[Canonical, NotUp]:
    """Roll the recipe `name` back. Return its new canonical. Raise CanonError if the recipe cannot be rolled back.

    Kept deployments that share an app with the recipe are undeployed first, and deployed again afterwards. Return also
    the status of those that are not up then.
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
        undeployed(host, fleet, recipe, conflicting_recipes(fleet.recipes, recipe)) as not_up,
        lock_slot(slot_host, name, f"rollback {name}") as folder,
    ):
        canonical = _prove(slot_host, RollbackRequest(fleet, have, target, author(), request.reason, folder))
    with suppress(Exception):  # what cannot be removed now is removed by the next pass
        tuple(prune(host, name, recipe.canonical.generations, records.memories.get(name, Memory(name))))
    return canonical, not_up


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
