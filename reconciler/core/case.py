"""The facts from which one recipe is explained."""

from collections.abc import Mapping, Sequence

from attrs import frozen

from desired.model import Fleet
from reconciler.core.circumstances import PlanContext
from reconciler.core.gate import Condition
from reconciler.core.observation import Observation
from reconciler.core.plan import Step
from state.records import Canonical


@frozen
class Case:
    """All that is known of one recipe when `explain` explains it.

    * `step`: what the plan does about the recipe.
    * `observation`: what was observed of it; None for an orphan.
    * `gate`: the conditions of a promotion, as far as they can be judged without a trial.
    * `context`: what the plan depends on, besides the observations.
    * `needs`: the recipes that this one needs, each with True if it has a release that can be deployed.
    * `stored`: the intact stored generations but the canonical, the newest first; () if the recipe is not ahead.
    """

    step: Step
    observation: Observation | None
    gate: tuple[Condition, ...]
    fleet: Fleet
    context: PlanContext
    needs: Mapping[str, bool]
    stored: Sequence[Canonical] = ()
