"""Limits how many trials a pass runs. The recipes that have waited longest are tried."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from attrs import evolve

from reconciler.core.observation import Observation, State
from reconciler.core.plan import Action, HeldBack, Plan, Step

_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)


def within_trials(plan: Plan, observations: Mapping[str, Observation], trials: int | None) -> Plan:
    """Return the plan with at most `trials` trials. If `trials` is None, return the plan unchanged.

    The recipes that wait longest keep their trials. The other trials are held back (OVER_BUDGET).
    """
    tried = [step for step in plan.steps.values() if step.release is not None]
    if trials is None or len(tried) <= trials:
        return plan
    waiting = sorted(tried, key=lambda step: (waits_since(step, observations[step.recipe]), step.recipe))
    before = ", ".join(step.recipe for step in waiting[:trials])
    reason = f"over budget: a pass tries at most {trials}, and those that wait longer come first: {before}"
    held = {step.recipe: held_over(step, reason) for step in waiting[trials:]}
    return evolve(plan, steps={**plan.steps, **held}, waiting=tuple(waiting[trials:]))


def waits_since(step: Step, observation: Observation) -> datetime:
    """Return since when the recipe waits for a trial: the later of two times. Return a day in 1970 if neither is known.

    * When the release that `step` tries was first seen.
    * When the recipe was last tried. Without this time, a recipe whose trials fail by faults of the host would always
      come before the others.
    """
    return max(step.finding.since or _LONG_AGO, observation.memory.last_trial_at or _LONG_AGO)


def held_over(step: Step, reason: str) -> Step:
    """Return the step without its trial, held back as OVER_BUDGET. `reason` says why.

    A kept deployment that is down is deployed again all the same.
    """
    is_down = step.finding.status.state is State.DOWN
    return evolve(
        step,
        action=Action.REDEPLOY if is_down else Action.NONE,
        reason=f"{step.reason}; {reason}",
        release=None,
        held_back=HeldBack.OVER_BUDGET,
        circumstances=None,
        redeploys=(step.recipe,) if is_down else (),
    )


def over_budget(plan: Plan) -> tuple[str, ...]:
    """Return the recipes whose trial is left to a later pass, because the fleet's `[budget]` is used up."""
    return tuple(name for name, step in plan.steps.items() if step.held_back is HeldBack.OVER_BUDGET)


def budget_notes(plan: Plan) -> tuple[str, ...]:
    """Return notes on the fleet's `[budget]`; () if all trials fit, and the disk could be measured.

    One note names the recipes whose trials are left to a later pass. Another says what could not be measured.
    """
    over = over_budget(plan)
    left = (f"over budget, left to a later pass: {', '.join(over)}",) if over else ()
    return (plan.disk_note, *left) if plan.disk_note else left
