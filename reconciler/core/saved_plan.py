"""A plan that was saved to be carried out later, and only as it was saved."""

from collections.abc import Mapping

from attrs import evolve, frozen

from reconciler.core.basis import Basis
from reconciler.core.plan import Action, Plan, Step

NOT_PLANNED = "the saved plan has another step for it: make a new plan"


@frozen
class PlannedStep:
    """What a saved plan does about one recipe; `commit` is that of the release that it tries, "" for none."""

    action: str
    commit: str


@frozen
class SavedPlan:
    """A plan as it was saved. `names` are the selected recipes; those in `retry` are tried again even after a red.

    `state` and `fleet` are the paths of both folders. `made_at` is the time of the plan as text (RFC 3339). `steps` are
    by recipe. `basis` has the digests of everything that the plan depends on.
    """

    state: str
    fleet: str
    made_at: str
    names: tuple[str, ...]
    retry: tuple[str, ...]
    steps: Mapping[str, PlannedStep]
    basis: Basis


def planned_steps(plan: Plan) -> Mapping[str, PlannedStep]:
    """Return the steps of a plan, by recipe, as they are saved."""
    return {name: _planned(step) for name, step in plan.steps.items()}


def within(plan: Plan, planned: Mapping[str, PlannedStep] | None) -> Plan:
    """Return the plan in which every step that differs from the one in `planned` does nothing.

    `planned` has the steps of a saved plan, by recipe. If it is None, return the plan unchanged.
    """
    if planned is None:
        return plan
    steps = {name: step if _planned(step) == planned.get(name) else _nothing(step) for name, step in plan.steps.items()}
    return evolve(plan, steps=steps, waiting=())


def _planned(step: Step) -> PlannedStep:
    return PlannedStep(step.action, step.release.commit if step.release is not None else "")


def _nothing(step: Step) -> Step:
    """Return a step that does nothing, with the reason `NOT_PLANNED`; the step itself if it does nothing anyway."""
    if step.action is Action.NONE:
        return step
    return evolve(step, action=Action.NONE, release=None, circumstances=None, redeploys=(), reason=NOT_PLANNED)
