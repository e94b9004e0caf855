"""The facts from which one recipe is explained."""

from collections.abc import Mapping

from attrs import frozen

from desired.model import Fleet
from reconciler.core.circumstances import PlanContext
from reconciler.core.gate import Condition
from reconciler.core.observation import Observation
from reconciler.core.plan import Step


@frozen
class Case:
    """The facts from which one recipe is explained: the plan's step, and all that it was decided from.

    `observation` is None for an orphan. `gate` has the gate's conditions, judged without a trial. `needs` maps each
    recipe that this one needs to whether it has a release that can be deployed.
    """

    step: Step
    observation: Observation | None
    gate: tuple[Condition, ...]
    fleet: Fleet
    context: PlanContext
    needs: Mapping[str, bool]
