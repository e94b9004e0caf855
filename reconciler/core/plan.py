"""Decides what is done about each finding, and why. A dry run ends here."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from enum import StrEnum

from attrs import evolve, field, frozen

from desired.model import Recipe, Release
from desired.versions import version_key
from reconciler.core.findings import Cause, Finding, MirrorState
from reconciler.core.needs import conflicting_recipes, ordered_by_needs
from reconciler.core.observation import Observation, State, upstream_tags
from state.records import Canonical, Circumstances, Memory, Place, Red


class Action(StrEnum):
    """What a step does. Reports print "repair" for the last three.

    PROMOTE tests the wanted release, and promotes it if the gate allows that. RETEST does the same with the recorded
    release, since its snapshot is damaged. REFETCH is for a mirror that is missing or cannot be read: a pass fetches it
    before it plans, since upstream's objects decide which release is wanted, and this step only looks whether it is
    there. REDEPLOY deploys a canonical again that is to be kept running and is down.
    """

    NONE = "none"
    PROMOTE = "promote"
    RETEST = "retest"
    REFETCH = "refetch"
    REDEPLOY = "redeploy"


class HeldBack(StrEnum):
    """Why nothing is done about a finding although something could be done.

    EXCEPTED: the recipe is not enrolled. RED_BEFORE: the release was red, and nothing has changed since. QUARANTINED: a
    tag was moved to another commit.
    """

    EXCEPTED = "excepted"
    RED_BEFORE = "red-before"
    QUARANTINED = "quarantined"


@frozen
class PlanContext:
    """What a plan depends on beside the observations. `canon` is the revision of this program.

    `retry` names recipes that are tried again although they were red. `recipes` is the whole fleet.
    """

    place: Place
    canon: str
    today: date
    retry: Collection[str] = ()
    recipes: Mapping[str, Recipe] = field(factory=dict)


@frozen
class Step:
    """What is done about one finding, and why: `reason` is one sentence.

    `release` is tried by PROMOTE and RETEST, under `circumstances`; both are None for every other action. A step that
    is held back may still be a REDEPLOY. `redeploys` names the recipes whose kept deployments are deployed again if
    they are down: for REDEPLOY the recipe itself; after a trial, all that had to make room for it.
    """

    finding: Finding
    action: Action
    reason: str
    release: Release | None = None
    held_back: HeldBack | None = None
    needs_person: bool = False
    circumstances: Circumstances | None = None
    redeploys: tuple[str, ...] = ()

    @property
    def recipe(self) -> str:
        return self.finding.recipe


@frozen
class Plan:
    """One step for each declared recipe and each orphan, by name. `order` is the order to take the steps in."""

    steps: Mapping[str, Step]
    order: tuple[str, ...]


def make_plan(findings: Iterable[Finding], observations: Mapping[str, Observation], context: PlanContext) -> Plan:
    """Return a step for each finding. In the order, a recipe comes after all that it needs."""
    steps = {finding.recipe: _step(finding, observations.get(finding.recipe), context) for finding in findings}
    recipes = {name: observation.recipe for name, observation in observations.items()}
    return Plan(steps, tuple(name for name in ordered_by_needs(recipes) if name in steps))


def _step(finding: Finding, observation: Observation | None, context: PlanContext) -> Step:
    step = _release_step(finding, observation, context)
    if observation is None or not observation.recipe.enrolled:
        return step
    if finding.status.state is State.DOWN:
        step = _with_redeployment(step, finding.status.reason)
    if step.action is Action.REDEPLOY:
        return evolve(step, redeploys=(step.recipe,))
    if step.release is not None:
        return evolve(step, redeploys=conflicting_recipes(context.recipes, observation.recipe))
    return step


def _with_redeployment(step: Step, why_down: str) -> Step:
    """Return the step with REDEPLOY as its action, and why; also if it is held back.

    A step that promotes keeps its action: only its reason gets the note that the deployment is raised afterwards.
    """
    if step.action is Action.PROMOTE:
        return evolve(step, reason=f"{step.reason}; its deployment is down ({why_down}) and is raised afterwards")
    how = "will be raised from its snapshot; nothing is tried"
    return evolve(step, action=Action.REDEPLOY, reason=f"{step.reason}; its deployment is down ({why_down}) and {how}")


def _release_step(finding: Finding, observation: Observation | None, context: PlanContext) -> Step:
    """Return the step for the wanted release. Does not consider whether the canonical's deployment is down."""
    if observation is None:
        hint = f"if it is to go: reconcile forget {finding.recipe} --reason …"
        return Step(finding, Action.NONE, f"{finding.reason}; {hint}", needs_person=True)
    if not observation.recipe.enrolled:
        reason = _exception_reason(observation.recipe, context.today)
        return Step(finding, Action.NONE, reason, held_back=HeldBack.EXCEPTED)
    if finding.cause in {Cause.FIRST_RELEASE, Cause.NEW_RELEASE}:
        return _new_release_step(finding, observation, context)
    if finding.cause is Cause.IN_SYNC:
        return _in_sync_step(finding, observation, context)
    return _do_nothing(finding)


def _do_nothing(finding: Finding) -> Step:
    """Return a step that does nothing, for a finding that has to wait or that only a person can decide."""
    held_back = HeldBack.QUARANTINED if finding.cause is Cause.MOVED else None
    waits = finding.cause in {Cause.UNOBSERVABLE, Cause.NEVER_RELEASED}
    return Step(finding, Action.NONE, finding.reason, held_back=held_back, needs_person=not waits)


def _exception_reason(recipe: Recipe, today: date) -> str:
    if recipe.review is None or recipe.review > today:
        return recipe.exception
    return f"{recipe.exception} (due for review since {recipe.review})"


def _new_release_step(finding: Finding, observation: Observation, context: PlanContext) -> Step:
    assert isinstance(finding.want, Release)  # noqa: S101  both causes imply it
    if finding.status.state is State.UNKNOWN:
        return Step(finding, Action.NONE, f"the canonical cannot be checked: {finding.status.reason}")
    circumstances = circumstances_of(finding.want, observation, context)
    red = matching_red(observation.memory, circumstances, finding.want, context)
    if red is None:
        reason = _damage_note(finding) + _with_missing_tools(finding.reason, observation)
        return Step(finding, Action.PROMOTE, reason, finding.want, circumstances=circumstances)
    have = finding.have
    if have is None or finding.status.state is not State.DAMAGED or not _is_still_tagged(have, observation):
        return _held_back_by_red(finding, red)
    retest = _retest(finding, Release(have.version, have.commit), observation, context)
    return evolve(retest, needs_person=True, reason=f"{retest.reason}; {_held_back_by_red(finding, red).reason}")


def _is_still_tagged(have: Canonical, observation: Observation) -> bool:
    """Whether upstream still has the canonical's tag on the same commit: otherwise the gate would refuse it."""
    return (upstream_tags(observation) or {}).get(have.version) == have.commit


def _held_back_by_red(finding: Finding, red: Red) -> Step:
    reason = (
        f"{red.version} was red on {red.at:%Y-%m-%d %H:%M} ({red.reason}); not tried again until its commit, "
        f"its tests, Canon or this place changes, or: reconcile --retry {finding.recipe}"
    )
    return Step(finding, Action.NONE, reason, held_back=HeldBack.RED_BEFORE, needs_person=True)


def _in_sync_step(finding: Finding, observation: Observation, context: PlanContext) -> Step:
    match finding.status.state:
        case State.DAMAGED:
            assert isinstance(finding.want, Release)  # noqa: S101  the cause implies it
            return _retest(finding, finding.want, observation, context)
        case State.UNKNOWN:
            return Step(finding, Action.NONE, f"the canonical cannot be checked: {finding.status.reason}")
        case _:
            return _refetch_or_nothing(finding)


def _refetch_or_nothing(finding: Finding) -> Step:
    if finding.mirror is MirrorState.MISSING:
        return Step(finding, Action.REFETCH, "the mirror is missing and will be fetched anew; nothing is tried")
    if finding.unreadable:
        return Step(finding, Action.REFETCH, f"{finding.unreadable}; it will be fetched anew, and nothing is tried")
    return Step(finding, Action.NONE, finding.reason)


def _retest(finding: Finding, release: Release, observation: Observation, context: PlanContext) -> Step:
    """Return a step that tests the recorded release again, or one that is held back if a red for it still holds."""
    circumstances = circumstances_of(release, observation, context)
    red = matching_red(observation.memory, circumstances, release, context)
    if red is not None:
        return _held_back_by_red(finding, red)
    reason = f"{_damage_note(finding)}tested again at {release.version}"
    return Step(finding, Action.RETEST, _with_missing_tools(reason, observation), release, circumstances=circumstances)


def _damage_note(finding: Finding) -> str:
    if finding.status.state is not State.DAMAGED or finding.have is None:
        return ""
    damaged = f"the canonical is damaged ({finding.status.reason})"
    if finding.older_intact is not None:
        lineage = " → ".join(finding.older_intact.lineage)
        return f"{damaged}, generation {finding.older_intact.generation} ({lineage}) is intact; "
    return f"{damaged}, the data of {' → '.join(finding.have.lineage)} is lost; "


def _with_missing_tools(reason: str, observation: Observation) -> str:
    missing = f"required here and missing: {', '.join(observation.missing_tools)}" if observation.missing_tools else ""
    return "; ".join(filter(None, (reason, missing, observation.tests_unreadable)))


def circumstances_of(release: Release, observation: Observation, context: PlanContext) -> Circumstances:
    """Return what a verdict on `release` would depend on now."""
    place = context.place
    return Circumstances(release.commit, observation.tests, context.canon, place.digest, place.versions_digest)


def matching_red(memory: Memory, now: Circumstances, release: Release, context: PlanContext) -> Red | None:
    """Return the remembered red that still holds for `release`; None if there is none, or the recipe is in `retry`."""
    if memory.recipe in context.retry:
        return None
    key = version_key(release.version)
    alike = (red for red in memory.reds.values() if version_key(red.version) == key)
    return next((red for red in alike if red.circumstances == now), None)
