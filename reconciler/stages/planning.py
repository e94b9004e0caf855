"""Makes the plan of a pass or a dry run from what was observed."""

from collections.abc import Collection, Mapping

from attrs import evolve, frozen

from desired.model import Fleet, WayName
from desired.releases import Unobservable
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
    """What a pass or a dry run is to do.

    * `names`: the selected recipes.
    * `command`: the kind of its report, such as a plan.
    * `retry`: recipes that are tried again even if their release was red.
    * `parallel`: how many recipes may be tried at once.
    * `planned`: the steps of a saved plan: no other steps are taken. None to take all steps that are due.
    * `ways`: the ways to try of every canonical, besides the ways that its recipe declares.
    """

    fleet: Fleet
    names: tuple[str, ...]
    command: ReportCommand
    retry: Collection[str] = ()
    parallel: int = 1
    planned: Mapping[str, PlannedStep] | None = None
    ways: tuple[WayName, ...] = ()


def plan_for(host: Host, request: RunRequest, observed: Observations) -> Plan:
    """Return the plan for the observations in `observed`.

    If planning the step of a recipe raises an error, which is a bug, the recipe counts as unobservable.
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
    """Plan the observed recipe alone. Return the observation unchanged if this raises no error.

    After an error, return a copy of the observation whose `answer` is an Unobservable with the error: so one recipe
    cannot stop the plan of all. `space` is how much room trials have on the disks.
    """
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
    """Return what a plan depends on, besides the observations.

    `host` gives this host and its tools, the revision of Canon, and the present day. `request` gives the recipes to try
    again, and all declared recipes.
    """
    return PlanContext(host.place, host.canon, host.clock.now().date(), request.retry, request.fleet.recipes)


def planned_work(plan: Plan, observations: Mapping[str, Observation]) -> tuple[PlannedWork, ...]:
    """Return the steps of a plan that do something, in its order, each with how long its recipe's last trial took."""
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
