"""Deploys the app of a later tier while an earlier tier still runs, so that the later tier need not wait as long.

Only where nothing can go wrong by it: the driver has to say that two apps of the recipe neither reach nor block each
other. A failure while apps of two slots are up proves nothing: then all tiers run again, with one slot up at a time.
"""

from collections.abc import Callable
from contextlib import ExitStack

from desired.model import TierName
from reconciler.deploy.app_set import AppSet
from reconciler.deploy.deploying import begin_deployment, deploy_app_set, finish_deployment
from reconciler.deploy.slot import Slot
from reconciler.errors import CanonError, in_one_line
from reconciler.trial.trial_run import BegunDeployment, TrialRun
from state.state_errors import StateError


def begin_tier(run: TrialRun, tier: TierName, app_set_for: Callable[[Slot], AppSet]) -> None:
    """Deploy the app of a later tier in a slot of its own, if two apps of the recipe may be up. Do not wait for it.

    `app_set_for` returns the app set to deploy in the given slot. Do nothing if that tier will not run, if the recipe
    needs other apps, or if this run keeps one slot up at a time. If the app cannot be deployed, remove the slot: the
    tier itself will deploy the app later, and raise the error if it comes again.
    """
    if not _may_begin(run, tier):
        return
    with ExitStack() as closing:
        slot = closing.enter_context(run.open_slot(tier))
        try:
            [spec] = app_set_for(slot)
            app = begin_deployment(slot, spec, is_beside=True)
        except (CanonError, StateError, OSError) as failed:
            slot.log_line(f"not deployed while another slot is up: {in_one_line(failed)}")
            return
        own = run.stack.enter_context(closing.pop_all())
        run.begun[tier] = BegunDeployment(slot, own, app, is_new=spec.source is None)
        run.is_beside = True


def _may_begin(run: TrialRun, tier: TierName) -> bool:
    """Return whether the app of a later tier may be deployed now, unless its driver refuses it."""
    request = run.request
    runs = tier in request.tiers and tier not in request.recipe.tiers
    has_driver = run.host.drivers[request.recipe.driver].can_deploy_beside
    return run.may_begin and runs and len(request.app_set) == 1 and has_driver


def deploy_tier(run: TrialRun, tier: TierName, slot: Slot, app_set: AppSet) -> None:
    """Deploy `app_set` in the slot of a tier, or finish the deployment that was begun there. Wait until it is ready.

    Errors are those of `deploy_app_set`. After an error, `run.is_beside` stays True if it was.
    """
    begun = run.begun.pop(tier, None)
    if begun is None:
        deploy_app_set(slot, app_set)
    else:
        finish_deployment(slot, begun.app, is_new=begun.is_new)
    run.is_beside = False
