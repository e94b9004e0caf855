"""A plan that `plan --out` saved. `apply` carries it out later, but only what is still the same."""

from collections.abc import Mapping

from attrs import evolve, frozen

from reconciler.core.basis import Basis
from reconciler.core.plan import Action, Plan, Step

NOT_PLANNED = "the saved plan has another step for it: make a new plan"


@frozen
class PlannedStep:
    """What a saved plan does about one recipe.

    * `action`: one of the values of Action, such as "promote".
    * `commit`: the commit of the release that is tried; "" if none is tried.
    """

    action: str
    commit: str


@frozen
class SavedPlan:
    """A plan as it was saved in a file.

    * `state`: the path of the state folder.
    * `fleet`: the path of the fleet folder.
    * `made_at`: when the plan was made, as text (RFC 3339).
    * `names`: the selected recipes.
    * `retry`: the recipes in `names` that are tried again even if they were red.
    * `steps`: what is done, by recipe.
    * `basis`: the digests of everything on which the plan depends.
    """

    state: str
    fleet: str
    made_at: str
    names: tuple[str, ...]
    retry: tuple[str, ...]
    steps: Mapping[str, PlannedStep]
    basis: Basis


def planned_steps(plan: Plan) -> Mapping[str, PlannedStep]:
    """Return the steps of a plan in the form in which a plan is saved, by recipe."""
    return {name: _planned(step) for name, step in plan.steps.items()}


def within(plan: Plan, planned: Mapping[str, PlannedStep] | None) -> Plan:
    """Return the plan, but with only those steps that are the same in the saved plan. The other steps do nothing.

    `planned` has the steps of the saved plan, by recipe; None for no saved plan: then return the plan unchanged.
    """
    if planned is None:
        return plan
    steps = {name: step if _planned(step) == planned.get(name) else _nothing(step) for name, step in plan.steps.items()}
    return evolve(plan, steps=steps, waiting=())


def _planned(step: Step) -> PlannedStep:
    return PlannedStep(step.action, step.release.commit if step.release is not None else "")


def _nothing(step: Step) -> Step:
    """Return the step as one that does nothing, with the reason `NOT_PLANNED`; unchanged if it does nothing anyway."""
    if step.action is Action.NONE:
        return step
    return evolve(step, action=Action.NONE, release=None, circumstances=None, redeploys=(), reason=NOT_PLANNED)
