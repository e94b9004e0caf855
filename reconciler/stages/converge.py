"""Carries out a plan step by step. Each step has one outcome, judged by what is read from disk afterwards."""

from collections.abc import Generator, Mapping
from pathlib import Path

from attrs import evolve, field, frozen

from desired.model import Fleet
from desired.releases import Release
from reconciler.core.disk_budget import TrialsBeside
from reconciler.core.holds import why_held
from reconciler.core.needs import keeps_running
from reconciler.core.observation import CanonicalStatus, Observation, State
from reconciler.core.outcome import Attempt, Outcome, ReadBack, judge
from reconciler.core.plan import Action, Plan, Step
from reconciler.core.schedule import CompanyFailure, is_doubtful
from reconciler.core.trial_base import base_for
from reconciler.core.wanted_release import need_releases
from reconciler.deploy.app_set import AppSet, NeedMissingError, app_set_digest, app_set_tests, drivers_of, make_app_set
from reconciler.deploy.slot_lock import lock_slot
from reconciler.errors import BusyError, CanonError, in_one_line, reason_of
from reconciler.ports.host import Host
from reconciler.ports.repositories import MirrorRefs
from reconciler.promotion.generations import current_seal
from reconciler.promotion.promote import Promotion, promote
from reconciler.promotion.running_canonical import (
    deployed_parts,
    deployment_status,
    redeploy_canonical,
    undeploy_conflicting,
)
from reconciler.stages.disk_room import why_no_room
from reconciler.stages.gating_ways import try_gating_ways, why_unprovable
from reconciler.stages.record_outcome import record_outcome
from reconciler.stages.report_bug import report_bug
from reconciler.stages.signatures import refused_signature
from reconciler.trial.trial import run_trial
from reconciler.trial.trial_request import TrialRequest
from state.decisions import Hold
from state.folder.logs import trial_id
from state.records import Answer, Canonical, Memory
from state.state_errors import StateError


@frozen
class ConvergeContext:
    """What the steps of a plan need.

    * `observations`: what was seen of each recipe before the plan was made, by recipe.
    * `mirror_errors`: the recipes whose mirror was not updated, each with the reason.
    * `has_company`: True if other steps can be running at the same time.
    * `failures`: how steps failed while others ran, by recipe. They are repeated alone.
    * `beside`: what the trials that run now take of the disk.
    """

    host: Host
    fleet: Fleet
    plan: Plan
    observations: Mapping[str, Observation]
    mirror_errors: Mapping[str, str]
    has_company: bool = False
    failures: Mapping[str, CompanyFailure] = field(factory=dict)
    beside: TrialsBeside = field(factory=TrialsBeside)


def converge(context: ConvergeContext) -> Generator[Outcome, None, None]:
    """Carry out the steps in the order of the plan, also after one that fails. Yield the outcome of each."""
    for name in context.plan.order:
        step = context.plan.steps[name]
        yield converge_alone(context, step)


def converge_alone(context: ConvergeContext, step: Step) -> Outcome:
    """Carry out one step while no other step runs, and record the verdict of its trial. Return the outcome.

    After the trial, deploy the kept deployments again that were undeployed for it.
    """
    outcome = record_step(context, converge_step(context, step))
    if step.release is not None:
        redeploy(context, step)
    return outcome


def record_step(context: ConvergeContext, outcome: Outcome) -> Outcome:
    """Record the verdict of a step's trial, if there was one. Return the outcome, with a remark if recording failed."""
    if outcome.attempt.trial is None:
        return outcome
    return record_outcome(context.host, context.observations[outcome.step.recipe], outcome, outcome.attempt.trial)


def converge_step(context: ConvergeContext, step: Step) -> Outcome:
    """Carry out one step. Return its outcome. Raise no error: after a bug, the result is INFRASTRUCTURE.

    A promotion is recorded here. The caller records the verdict of the trial, with `record_step`.
    """
    try:
        return _outcome(context, step, _attempt(context, step))
    except Exception as bug:  # noqa: BLE001  one recipe's bug does not stop the others
        return judge(step, _bug_attempt(context, step, bug), ReadBack(None))


def untried(context: ConvergeContext, step: Step, why: str) -> Outcome:
    """Return the outcome of a step that was not begun, or was interrupted. `why` is the reason."""
    return _outcome(context, step, Attempt(untried_reason=why))


def _attempt(context: ConvergeContext, step: Step) -> Attempt:
    """Do what the step says. Return what came of it. An error is not raised, but becomes the `untried_reason`."""
    if step.action is Action.REDEPLOY:
        redeploy(context, step)
    unreadable = context.observations[step.recipe].tests_unreadable if step.release is not None else ""
    untried_reason = context.mirror_errors.get(step.recipe) or unreadable
    if untried_reason:
        return Attempt(untried_reason=untried_reason, host_fault=True)
    if step.release is None:
        return Attempt()
    try:
        return _try(context, step, step.release)
    except (BusyError, NeedMissingError) as busy:
        return Attempt(untried_reason=busy.message)
    except (CanonError, StateError, OSError) as failed:
        return Attempt(untried_reason=in_one_line(failed), host_fault=True)
    except Exception as bug:  # noqa: BLE001  one recipe's bug does not stop the others
        return _bug_attempt(context, step, bug)


def _bug_attempt(context: ConvergeContext, step: Step, bug: Exception) -> Attempt:
    return Attempt(untried_reason=report_bug(context.host, step.recipe, bug), host_fault=True)


def _try(context: ConvergeContext, step: Step, release: Release) -> Attempt:
    """Test `release`, and promote it if the trial is green. Return what came of it, or why it was not tried."""
    observation = context.observations[step.recipe]
    assert isinstance(observation.answer, Answer)  # noqa: S101  the plan tries nothing that was not seen
    records = context.host.registry.read()
    if refused := _why_refused(context, observation, release, records.holds.get(step.recipe)):
        return Attempt(untried_reason=refused)
    if full := why_no_room(context.host, context.fleet, observation.memory, context.beside):
        return Attempt(untried_reason=full, company_fault=context.has_company)
    releases_of_needs = need_releases(records.canonicals, context.observations)
    app_set = make_app_set(observation.recipe, release, context.fleet.recipes, releases_of_needs)
    if app_set_digest(app_set) != observation.files:
        changed = "its tests changed after this pass began: the next pass tries it with the new ones"
        return Attempt(untried_reason=changed)
    # Only these drivers must work: one that cannot be used now blocks no recipe that does not use it.
    host = context.host.with_drivers(drivers_of(app_set) | context.host.state.drivers_of_slot(step.recipe))
    with lock_slot(host, step.recipe, f"pass {host.pass_id}") as folder:
        host.progress.step(step.recipe, f"trying {release.version}", observation.memory.seconds)
        undeploy_conflicting(context.host, context.fleet.recipes, observation.recipe)
        request = _with_company(context, trial_request(host, observation, release, app_set, folder))
        trial = run_trial(host, request)
        if context.has_company and is_doubtful(trial):
            return Attempt(trial)
        trial = try_gating_ways(host, context.fleet, observation, request, trial)
        recipe, answer, files = observation.recipe, observation.answer, observation.files
        company = context.has_company
        return promote(host, Promotion(context.fleet, recipe, trial, app_set, answer, files, folder, company))


def _with_company(context: ConvergeContext, request: TrialRequest) -> TrialRequest:
    """Return the request with what is known of other trials: those that run now, and an earlier one that failed so."""
    earlier = context.failures.get(request.recipe.name, CompanyFailure("", has_begun=False))
    reason = earlier.reason if earlier.has_begun else ""
    return evolve(request, has_company=context.has_company, failed_in_company=reason, earlier_peak=earlier.peak)


def _why_refused(context: ConvergeContext, observation: Observation, release: Release, hold: Hold | None) -> str:
    """Return why `release` must not be tried now; "" if nothing forbids that.

    The reason may be the hold, a missing signature, or a way back that cannot be proved. `hold` is the recipe's hold;
    None if there is none.
    """
    if held := why_held(hold, context.host.clock.now().date()):
        return held
    if fault := refused_signature(context.host, observation, release):
        return f"unsigned: {fault}"
    return why_unprovable(context.host, observation, release)


def trial_request(
    host: Host, observation: Observation, release: Release, app_set: AppSet, folder: Path
) -> TrialRequest:
    """Return the request of a pass to test `release` with all tiers. `folder` is the recipe's locked working folder.

    Its digest of the tests names the needs as they are in `app_set`: a need may have been promoted since `observation`.
    """
    return TrialRequest(
        id=trial_id(host.clock.now()),
        recipe=observation.recipe,
        release=release,
        app_set=app_set,
        base=base_for(observation, release),
        canonical=observation.newest_intact,
        by_pass=True,
        files=observation.files,
        tests=app_set_tests(app_set, observation.test_files),
        folder=folder,
    )


def redeploy(context: ConvergeContext, step: Step) -> None:
    """Deploy again each kept deployment that `step.redeploys` names and that is down now.

    Raise no error: a deployment that fails stays down. The traceback of the error is written to a file.
    """
    host = context.host
    for name in step.redeploys:
        try:
            have = host.registry.read().canonicals
            if name in have and _deployment_status(context, have[name]).state is State.DOWN:
                redeploy_canonical(host, context.fleet, have[name])
        except Exception as bug:  # noqa: BLE001  the next observation shows that it is down
            report_bug(host, name, bug)


def _deployment_status(context: ConvergeContext, canonical: Canonical) -> CanonicalStatus:
    """Return the status of a canonical's kept deployment; INTACT if its recipe has none."""
    recipe = context.fleet.recipes[canonical.recipe]
    if not keeps_running(recipe):
        return CanonicalStatus(State.INTACT)
    return deployment_status(context.host, canonical, deployed_parts(context.host, {recipe.name: recipe}))


def _outcome(context: ConvergeContext, step: Step, attempt: Attempt) -> Outcome:
    """Return the outcome of what the step did (`attempt`), judged by what is recorded, stored and deployed now."""
    back = read_back(context.host, step.recipe)
    if step.action is Action.REDEPLOY and back.canonical is not None:
        back = evolve(back, down=_deployment_status(context, back.canonical).reason)
    return judge(step, attempt, back)


def read_back(host: Host, name: str) -> ReadBack:
    """Return what this host has of the recipe `name` now. `damage` in it says why something cannot be read."""
    try:
        records = host.registry.read()
        canonical = records.canonicals.get(name)
        if canonical is None:
            return ReadBack(None, has_mirror=isinstance(host.mirrors.refs(name), MirrorRefs))
        seal = current_seal(canonical, records.memories.get(name, Memory(name)))
        damaged = host.snapshots.find_damage(host.state.canonical(name, canonical.generation), seal)
        damage = damaged.reason if damaged is not None else ""
        return ReadBack(canonical, damage, isinstance(host.mirrors.refs(name), MirrorRefs))
    except Exception as failed:  # noqa: BLE001  what cannot be read back is not promoted; the pass goes on
        return ReadBack(None, damage=f"could not be read back: {reason_of(failed)}")
