"""Decides whether the disk has room for a trial, by what the last trials of the recipe took."""

from collections.abc import Mapping

from attrs import evolve, frozen

from reconciler.core.observation import Observation
from reconciler.core.peaks import peak_of
from reconciler.core.plan import Plan
from reconciler.core.sizes import size
from reconciler.core.trial_budget import held_over
from state.records import Memory


@frozen
class TrialsBeside:
    """How many bytes of the disk the trials take that run now, judged by the last trials of the same recipes.

    * `taken`: how much all of them together take at their peaks.
    * `to_come`: how much of `taken` is not written yet.
    """

    taken: int = 0
    to_come: int = 0


def no_room(memory: Memory, budget: int | None, free: int | None, beside: TrialsBeside = TrialsBeside()) -> str:
    """Return why the disk has no room for a trial of the recipe beside the trials that run now; "" if it has room.

    * `memory`: what passes remember of the recipe, with how much its trials take. If that is not known, return "".
    * `budget`: how many bytes trials may take; None for no limit: then return "".
    * `free`: how many bytes are free; None if that is unknown: then only the budget counts.
    * `beside`: what the trials that run now take. By default, no trial runs.
    """
    peak = peak_of(memory)
    if budget is None or peak is None:
        return ""
    took = f"over budget: its last trials took {size(peak.total)} of the disk, and"
    lacks_free = free is not None and peak.total + beside.to_come > free
    lacks_budget = peak.total + beside.taken > budget
    if free is not None and lacks_free and (free <= budget or not lacks_budget):
        others = f", of which trials beside it may still take {size(beside.to_come)}" if beside.to_come else ""
        return f"{took} {size(free)} are free{others}"
    others = f", of which {size(beside.taken)} are taken by trials beside it" if beside.taken else ""
    return f"{took} [budget] disk is {size(budget)}{others}" if lacks_budget else ""


def within_disk(plan: Plan, observations: Mapping[str, Observation], budget: int | None, free: int | None) -> Plan:
    """Return the plan with each trial held back (OVER_BUDGET) for which the disk has no room.

    Each trial is judged as if it ran alone, by `no_room`. Other steps stay as they are. `budget` is how many bytes
    trials may take (None for no limit), `free` how many are free (None if unknown).
    """
    tried = [step for step in plan.steps.values() if step.release is not None]
    reasons = {step.recipe: no_room(observations[step.recipe].memory, budget, free) for step in tried}
    over = {step.recipe: held_over(step, reasons[step.recipe]) for step in tried if reasons[step.recipe]}
    return evolve(plan, steps={**plan.steps, **over})
