"""Plans what a pass or a dry run does, from what was observed."""

from collections.abc import Collection, Mapping

from attrs import evolve, frozen

from desired.model import Fleet, Unobservable, WayName
from reconciler.core.circumstances import PlanContext
from reconciler.core.disk_budget import within_disk
from reconciler.core.findings import compare
from reconciler.core.observation import Observation
from reconciler.core.plan import Action, Plan, make_plan
from reconciler.core.report import ReportCommand
from reconciler.core.saved_plan import PlannedStep
from reconciler.core.trial_budget import within_trials
from reconciler.errors import reason_of
from reconciler.ports.host import Host
from reconciler.stages.disk_room import FreeSpace, free_space
from reconciler.stages.observe import Observations
from state.pass_progress import PlannedWork


@frozen
class RunRequest:
    """What to run. A recipe in `retry` is tried again even if its release was red.

    `parallel` recipes may be tried at once. `planned` has the only steps that a pass may take; None for any. `ways` are
    tried of every canonical, in addition to those that its recipe declares.
    """

    fleet: Fleet
    names: tuple[str, ...]
    command: ReportCommand
    retry: Collection[str] = ()
    parallel: int = 1
    planned: Mapping[str, PlannedStep] | None = None
    ways: tuple[WayName, ...] = ()


def plan_for(host: Host, request: RunRequest, observed: Observations) -> Plan:
    """Return the plan for the observations.

    A recipe whose step cannot be planned, due to a bug, counts as unobservable.
    """
    space = free_space(host, request.fleet)
    try:
        return _plan(host, request, observed, space)
    except Exception:  # noqa: BLE001  planning each recipe alone shows whose bug it is
        observations = {
            name: _without_bug(host, request, observation, space) for name, observation in observed.observations.items()
        }
        return _plan(host, request, evolve(observed, observations=observations), space)


def _without_bug(host: Host, request: RunRequest, observation: Observation, space: FreeSpace) -> Observation:
    """Return the observation; with an Unobservable answer if a plan for this recipe alone raises an error."""
    try:
        _plan(host, request, Observations({observation.recipe.name: observation}, {}), space)
    except Exception as bug:  # noqa: BLE001  one recipe's bug is that recipe's
        return evolve(observation, answer=Unobservable(reason_of(bug)))
    return observation


def _plan(host: Host, request: RunRequest, observed: Observations, space: FreeSpace) -> Plan:
    findings = compare(observed.observations, observed.orphans)
    plan = evolve(make_plan(findings, observed.observations, context_for(host, request)), disk_note=space.note)
    if host.disk is not None:
        plan = within_disk(plan, observed.observations, request.fleet.disk, space.free)
    return within_trials(plan, observed.observations, request.fleet.trials)


def context_for(host: Host, request: RunRequest) -> PlanContext:
    """Return what a plan depends on, besides the observations."""
    return PlanContext(host.place, host.canon, host.clock.now().date(), request.retry, request.fleet.recipes)


def planned_work(plan: Plan, observations: Mapping[str, Observation]) -> tuple[PlannedWork, ...]:
    """Return the steps of a plan that do something, in its order, each with how long the recipe's last trial took."""
    steps = [plan.steps[name] for name in plan.order if plan.steps[name].action is not Action.NONE]
    return tuple(
        PlannedWork(
            recipe=step.recipe,
            action=step.action,
            version=step.release.version if step.release is not None else "",
            last_seconds=observations[step.recipe].memory.seconds if step.release is not None else None,
        )
        for step in steps
    )
