"""Carries out a plan. If a recipe could not be tried, a waiting one gets its place in `[budget] trials`."""

from collections.abc import Callable, Generator, Mapping
from contextlib import suppress

from attrs import evolve, frozen

from reconciler.core.outcome import Outcome
from reconciler.core.plan import Action, Plan
from reconciler.core.schedule import next_round
from reconciler.errors import InterruptedPassError
from reconciler.ports.workers import Workers
from reconciler.stages.converge import ConvergeContext, converge, untried
from reconciler.stages.converge_beside import converge_beside


@frozen
class Converged:
    """The plan that was carried out, and what came of it.

    * `outcomes`: what came of the steps, by recipe.
    * `signal`: the number of the signal that interrupted the steps; None if none did.
    """

    plan: Plan
    outcomes: Mapping[str, Outcome]
    signal: int | None


def carry_out(
    context: ConvergeContext, workers: Workers | None, report_outcome: Callable[[Outcome], None]
) -> Converged:
    """Carry out the plan. Pass each outcome to `report_outcome` at once. Return what came of all steps.

    `workers` run several steps at once; if they are None, one step comes after the other.

    The fleet may limit the number of trials (`[budget] trials`), so that some recipes wait. For each step that ends
    without running its trial, one waiting recipe is tried instead: the one that has waited longest. Such trials begin
    once all other steps have ended. If a recipe gets two outcomes, the later outcome counts.
    """
    outcomes: dict[str, Outcome] = {}
    plan, left, signal = context.plan, True, None
    while left and signal is None:
        round_context = evolve(context, plan=plan)
        steps = converge(round_context) if workers is None else converge_beside(round_context, workers)
        ended, signal = _converge(round_context, steps, report_outcome)
        outcomes |= ended
        further = next_round(plan, context.plan.order, ended.values()) if signal is None else None
        plan, left = further or plan, further is not None
    return Converged(plan, outcomes, signal)


def _converge(
    context: ConvergeContext, steps: Generator[Outcome, None, None], report_outcome: Callable[[Outcome], None]
) -> tuple[Mapping[str, Outcome], int | None]:
    """Take the outcomes from `steps`, a generator that carries out the plan. Return two values.

    * the outcomes by recipe.
    * the number of the signal that interrupted `steps`; None if none did.

    Each outcome is passed to `report_outcome` at once. After a signal, `steps` is closed, which ends the trials that
    still run. Each remaining step then gets an outcome which says that the step was not tried, and which is passed to
    `report_outcome` too.
    """
    plan = context.plan
    outcomes: dict[str, Outcome] = {}
    try:
        for outcome in steps:
            outcomes[outcome.step.recipe] = outcome
            report_outcome(outcome)
    except InterruptedPassError as stop:
        # The signal may have come while `steps` was suspended: then its workers run until it is closed.
        steps.close()
        remaining = [plan.steps[name] for name in plan.order if name not in outcomes]
        rest = {
            step.recipe: untried(context, step, stop.message) for step in remaining if step.action is not Action.NONE
        }
        for outcome in rest.values():
            # A second signal ends nothing here: all trials have ended.
            with suppress(InterruptedPassError):
                report_outcome(outcome)
        return outcomes | rest, stop.signal_number
    return outcomes, None
