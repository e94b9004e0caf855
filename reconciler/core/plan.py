"""Decides what is done about each finding, and why. A dry run ends with this plan."""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from attrs import evolve, frozen

from desired.releases import Release
from reconciler.core.circumstances import PlanContext, circumstances_of, matching_red
from reconciler.core.findings import Cause, Finding, MirrorState
from reconciler.core.holds import HoldStatus, hold_status, is_rolled_back
from reconciler.core.needs import conflicting_recipes, kept_apps, ordered_by_needs
from reconciler.core.observation import Observation, State, is_still_tagged
from reconciler.core.step_reasons import (
    damage_note,
    exception_reason,
    red_text,
    retest_text,
    too_young_text,
    trial_notes,
    unsigned_text,
    with_missing_tools,
)
from state.records import Circumstances, Red


class Action(StrEnum):
    """What a step does. Reports print "repair" for the last three.

    * PROMOTE: test the wanted release, and promote it if the gate allows that.
    * RETEST: do the same with the canonical's release, because the canonical's snapshot is damaged.
    * REFETCH: check that a missing or unreadable mirror is there again. The pass fetches the mirror before it plans.
    * REDEPLOY: deploy a canonical again whose kept deployment is down.
    """

    NONE = "none"
    PROMOTE = "promote"
    RETEST = "retest"
    REFETCH = "refetch"
    REDEPLOY = "redeploy"


class HeldBack(StrEnum):
    """Why nothing is done about a finding although something could be done.

    HELD: a person put the recipe on hold, or rolled it back. EXCEPTED: the recipe is not enrolled. RED_BEFORE: the
    release was red, or green and not promoted, and nothing has changed since. QUARANTINED: upstream moved a release tag
    to another commit. TOO_YOUNG: the release is not known for long enough. UNSIGNED: no key of the fleet signed the
    release's tag. OVER_BUDGET: the fleet's budget has no room for its trial in the next pass.
    """

    HELD = "held"
    EXCEPTED = "excepted"
    RED_BEFORE = "red-before"
    QUARANTINED = "quarantined"
    TOO_YOUNG = "too-young"
    UNSIGNED = "unsigned"
    OVER_BUDGET = "over-budget"


@frozen
class Step:
    """What is done about one finding; `reason` says why in one sentence.

    * `release`: what PROMOTE and RETEST try; None for other actions.
    * `held_back`: why the release is not tried; None if it may be tried. A kept deployment may still be redeployed.
    * `needs_person`: True if only a person can decide.
    * `circumstances`: what the verdict on `release` depends on; None if no release is tried.
    * `redeploys`: the recipes whose kept deployment is deployed again at the end of the step, if it is down then.
    * `hold`: what a person decided about the recipe; None for nothing.
    * `red`: the remembered trial that is the reason for RED_BEFORE; None if `held_back` is another.
    """

    finding: Finding
    action: Action
    reason: str
    release: Release | None = None
    held_back: HeldBack | None = None
    needs_person: bool = False
    circumstances: Circumstances | None = None
    redeploys: tuple[str, ...] = ()
    hold: HoldStatus | None = None
    red: Red | None = None

    @property
    def recipe(self) -> str:
        return self.finding.recipe


@frozen
class Plan:
    """The steps of a pass, by recipe. `order` has the recipes in the order in which their steps are taken.

    Orphans have a step, but are not in `order`: nothing is done about them. `waiting` are the steps whose trial exceeds
    the number in `[budget] trials`. `disk_note` says what could not be measured for `[budget] disk`; "" for nothing.
    """

    steps: Mapping[str, Step]
    order: tuple[str, ...]
    disk_note: str = ""
    waiting: tuple[Step, ...] = ()


def make_plan(findings: Iterable[Finding], observations: Mapping[str, Observation], context: PlanContext) -> Plan:
    """Return the plan: a step for each finding. In its `order`, a recipe comes after the recipes that it needs."""
    kept = kept_apps(context.recipes)
    steps = {finding.recipe: _step(finding, observations.get(finding.recipe), context, kept) for finding in findings}
    recipes = {name: observation.recipe for name, observation in observations.items()}
    return Plan(steps, tuple(name for name in ordered_by_needs(recipes) if name in steps))


def _step(
    finding: Finding, observation: Observation | None, context: PlanContext, kept: Mapping[str, frozenset[str]]
) -> Step:
    """Return the step for one finding. `observation` is None for an orphan. `kept` has the kept deployments' apps."""
    step = _release_step(finding, observation, context)
    if observation is None or not observation.recipe.enrolled:
        return step
    step = _with_hold(step, hold_status(observation, finding.want, context.today))
    if finding.status.state is State.DOWN:
        step = _with_redeployment(step, finding.status.reason)
    if step.action is Action.REDEPLOY:
        return evolve(step, redeploys=(step.recipe,))
    if step.release is not None:
        return evolve(step, redeploys=conflicting_recipes(context.recipes, observation.recipe, kept))
    return step


# These say why the release is not tried. On hold, the hold is reason enough.
_ABOUT_RELEASE = frozenset({HeldBack.RED_BEFORE, HeldBack.TOO_YOUNG, HeldBack.UNSIGNED})


def _with_hold(step: Step, status: HoldStatus | None) -> Step:
    """Return the step with a person's decision in its reason, and without its trial if the recipe is on hold.

    If `status` (the decision) is None, return the step unchanged. If a tag moved, the step still needs a person.
    """
    if status is None:
        return step
    if status.hold is not None and (step.release is not None or step.held_back in _ABOUT_RELEASE):
        step = Step(step.finding, Action.NONE, step.finding.reason)
    if status.hold is None and status.rollback is None:
        return evolve(step, reason=f"{status}; {step.reason}", hold=status)
    held_back = step.held_back if step.held_back or step.release else HeldBack.HELD
    return evolve(step, reason=f"{step.reason}; {status}", held_back=held_back, hold=status)


def _with_redeployment(step: Step, why_down: str) -> Step:
    """Return the step with the action REDEPLOY, since the recipe's kept deployment is down; `why_down` says why.

    A step that promotes keeps its action: after the trial, the kept deployment is deployed again anyway.
    """
    if step.action is Action.PROMOTE:
        return evolve(step, reason=f"{step.reason}; its deployment is down ({why_down}) and is raised afterwards")
    how = "will be raised from its snapshot; nothing is tried"
    return evolve(step, action=Action.REDEPLOY, reason=f"{step.reason}; its deployment is down ({why_down}) and {how}")


def _release_step(finding: Finding, observation: Observation | None, context: PlanContext) -> Step:
    """Return the step for the wanted release, before holds and kept deployments count. An orphan has no observation."""
    if observation is None:
        hint = f"if it is to go: reconcile forget {finding.recipe} --reason …"
        return Step(finding, Action.NONE, f"{finding.reason}; {hint}", needs_person=True)
    if not observation.recipe.enrolled:
        reason = exception_reason(observation.recipe, context.today)
        return Step(finding, Action.NONE, reason, held_back=HeldBack.EXCEPTED)
    if finding.cause in {Cause.FIRST_RELEASE, Cause.NEW_RELEASE}:
        return _new_release_step(finding, observation, context)
    if finding.cause is Cause.IN_SYNC:
        return _in_sync_step(finding, observation, context)
    return _do_nothing(finding)


def _do_nothing(finding: Finding) -> Step:
    """Return a step that does nothing. The step needs a person, unless upstream has no release or is unobservable."""
    held_back = HeldBack.QUARANTINED if finding.cause is Cause.MOVED else None
    waits = finding.cause in {Cause.UNOBSERVABLE, Cause.NEVER_RELEASED}
    return Step(finding, Action.NONE, finding.reason, held_back=held_back, needs_person=not waits)


def _new_release_step(finding: Finding, observation: Observation, context: PlanContext) -> Step:
    """Return the step for a wanted release that is not promoted yet: PROMOTE if it may be tried, else RETEST or NONE.

    It is RETEST only if the canonical is damaged and may be tested again, and upstream still has its tag, unmoved.
    """
    assert isinstance(finding.want, Release)  # noqa: S101  both causes imply it
    if finding.status.state is State.UNKNOWN:
        return Step(finding, Action.NONE, f"the canonical cannot be checked: {finding.status.reason}")
    circumstances = circumstances_of(finding.want, observation, context)
    red = matching_red(observation.memory, circumstances, finding.want, context)
    if is_rolled_back(observation, finding.want):
        held = Step(finding, Action.NONE, finding.reason)
    elif young := too_young_text(observation, finding.want):
        held = Step(finding, Action.NONE, f"{finding.reason}; {young}", held_back=HeldBack.TOO_YOUNG)
    elif unsigned := unsigned_text(observation, finding.want):
        held = _unsigned_step(finding, unsigned)
    elif red is not None:
        held = _held_back_by_red(finding, red)
    else:
        reason = with_missing_tools(finding.reason + trial_notes(observation, finding.want, circumstances), observation)
        return Step(finding, Action.PROMOTE, damage_note(finding) + reason, finding.want, circumstances=circumstances)
    have = finding.have
    if have is None or finding.status.state is not State.DAMAGED or not is_still_tagged(have, observation):
        return held
    retest = _retest(finding, Release(have.version, have.commit), observation, context)
    both = f"{retest.reason}; {held.reason}"
    return evolve(retest, needs_person=retest.needs_person or held.needs_person, reason=both)


def _held_back_by_red(finding: Finding, red: Red) -> Step:
    """Return a step that does nothing, because of an earlier trial of the release (`red`)."""
    held = Step(finding, Action.NONE, red_text(red, finding.recipe), held_back=HeldBack.RED_BEFORE)
    return evolve(held, needs_person=True, red=red)


def _unsigned_step(finding: Finding, why: str) -> Step:
    """Return a step that does nothing, because no key of the fleet signed the release. `why` is added to the reason."""
    return Step(finding, Action.NONE, f"{finding.reason}; {why}", held_back=HeldBack.UNSIGNED, needs_person=True)


def _in_sync_step(finding: Finding, observation: Observation, context: PlanContext) -> Step:
    """Return the step for a recipe whose canonical has the wanted release."""
    match finding.status.state:
        case State.DAMAGED:
            assert isinstance(finding.want, Release)  # noqa: S101  the cause implies it
            return _retest(finding, finding.want, observation, context)
        case State.UNKNOWN:
            return Step(finding, Action.NONE, f"the canonical cannot be checked: {finding.status.reason}")
        case _:
            return _refetch_or_nothing(finding)


def _refetch_or_nothing(finding: Finding) -> Step:
    """Return the step REFETCH if the mirror is missing or unreadable; else a step that does nothing."""
    if finding.mirror is MirrorState.MISSING:
        return Step(finding, Action.REFETCH, "the mirror is missing and will be fetched anew; nothing is tried")
    if finding.unreadable:
        return Step(finding, Action.REFETCH, f"{finding.unreadable}; it will be fetched anew, and nothing is tried")
    return Step(finding, Action.NONE, finding.reason)


def _retest(finding: Finding, release: Release, observation: Observation, context: PlanContext) -> Step:
    """Return a step that tests the canonical's `release` again; one that does nothing if it is unsigned or was red."""
    circumstances = circumstances_of(release, observation, context)
    if unsigned := unsigned_text(observation, release):
        return _unsigned_step(finding, f"{damage_note(finding)}{unsigned}")
    if red := matching_red(observation.memory, circumstances, release, context):
        return _held_back_by_red(finding, red)
    reason = retest_text(finding, observation, release, circumstances)
    return Step(finding, Action.RETEST, reason, release, circumstances=circumstances)
