"""Decides which steps of a plan may run at the same time, and which failures may have come of that."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from attrs import evolve, frozen

from desired.model import Recipe
from reconciler.core.gate import is_about_way
from reconciler.core.needs import apps_of
from reconciler.core.outcome import Outcome, Result
from reconciler.core.plan import Plan, Step
from reconciler.core.tier_results import Skip, Trial, is_green
from state.disk_use import DiskUse


@frozen
class Schedule:
    """The steps that deploy something, and what each of them needs for itself alone.

    * `order`: the recipes of these steps, in the order of the plan.
    * `claims`: for each recipe, the texts of `claims_of`. Each names a thing that only one step can use at a time, such
      as a domain.
    * `parallel`: how many steps may run at once.
    """

    order: tuple[str, ...]
    claims: Mapping[str, frozenset[str]]
    parallel: int

    def before(self, name: str) -> tuple[str, ...]:
        """Return the recipes of the steps that have to end before the step of the recipe `name` may start.

        These are the steps that come earlier in `order` and share a claim with that step.
        """
        earlier = self.order[: self.order.index(name)]
        return tuple(each for each in earlier if self.claims[each] & self.claims[name])


@frozen
class StepStart:
    """A step to start now. If `alone` is True, no other step runs until this one has ended."""

    recipe: str
    alone: bool


def make_schedule(plan: Plan, recipes: Mapping[str, Recipe], parallel: int) -> Schedule:
    """Return the schedule for those steps of a plan that deploy something.

    `recipes` are all of the fleet, by name. `parallel` is how many steps may run at once.
    """
    order = tuple(name for name in plan.order if deploys(plan.steps[name]))
    return Schedule(order, {name: _claims(plan.steps[name], recipes) for name in order}, parallel)


def deploys(step: Step) -> bool:
    """Return whether a step deploys something. Other steps only read, and need not wait for their turn."""
    return step.release is not None or bool(step.redeploys)


def _claims(step: Step, recipes: Mapping[str, Recipe]) -> frozenset[str]:
    """Return all claims of a step: names of things that only one step can use at a time (see `claims_of`).

    These are the claims of the step's recipe, of the recipes whose kept deployment the step deploys again, and of all
    recipes that they need.
    """
    apps = frozenset[str]().union(*(apps_of(recipes[name], recipes) for name in (step.recipe, *step.redeploys)))
    return frozenset(claim for name in apps for claim in claims_of(recipes[name]))


def claims_of(recipe: Recipe) -> Iterator[str]:
    """Yield texts that name what the app of a recipe needs for itself alone, because a host has it only once.

    * its name: "app NAME".
    * the domains in its settings: "setting DOMAIN".
    * for the process driver, the ports in its settings: "setting PORT". Other drivers need no such text, since a Swarm
      refuses a port that is in use.
    * for the abra driver, "abra", so that only one app of that driver runs at a time: which files several runs of abra
      share is not documented.
    """
    yield f"app {recipe.name}"
    if recipe.driver == "abra":
        yield "abra"
    for name, value in recipe.install.env.items():
        words = {word.removesuffix("S") for word in name.split("_")}
        if "DOMAIN" in words or ("PORT" in words and recipe.driver == "process"):
            yield from (f"setting {part}" for part in value.replace(",", " ").split())


def parallel_notes(plan: Plan, parallel: int) -> tuple[str, ...]:
    """Return one note on how many recipes a pass tries at once; () if the plan tries fewer than two.

    `parallel` is how many recipes the pass may try at once.
    """
    most = min(parallel, sum(step.release is not None for step in plan.steps.values()))
    return (f"a pass tries up to {most} of these recipes at once ([budget] parallel)",) if most > 1 else ()


def next_starts(
    schedule: Schedule, finished: Collection[str], running: Collection[str], failed: Collection[str]
) -> tuple[StepStart, ...]:
    """Return the steps to start now; () if all have ended, or if a running step has to end first.

    * `finished`, `running`: the recipes whose step has ended, and the recipes whose step runs.
    * `failed`: the recipes whose step failed while other steps ran. Such a step is started again alone, once no other
      step runs or may start, unless its recipe is in `finished`.
    """
    waiting = [name for name in schedule.order if name not in {*finished, *running, *failed}]
    ready = [name for name in waiting if set(schedule.before(name)) <= set(finished)]
    if not running and (len(ready) == 1 or schedule.parallel == 1):
        return tuple(StepStart(name, alone=True) for name in ready[:1])
    if ready or running:
        return tuple(StepStart(name, alone=False) for name in ready[: schedule.parallel - len(running)])
    return tuple(StepStart(name, alone=True) for name in schedule.order if name in failed and name not in finished)[:1]


def next_round(plan: Plan, order: Sequence[str], outcomes: Iterable[Outcome]) -> Plan | None:
    """Return the plan of the next round, which takes some of the steps in `plan.waiting`; None if no step can be taken.

    One waiting step is taken for each step of `plan` whose release was not tried, for example because the recipe's
    folder was in use. The steps that have waited longest come first.

    * `plan`: the plan that was carried out.
    * `order`: the recipes in the order of the first plan of the pass.
    * `outcomes`: what came of the steps of `plan`.
    """
    free = sum(_was_not_tried(outcome) for outcome in outcomes)
    chosen = {step.recipe: step for step in plan.waiting[:free]}
    if not chosen:
        return None
    steps = {**plan.steps, **chosen}
    return evolve(plan, steps=steps, order=tuple(filter(chosen.__contains__, order)), waiting=plan.waiting[free:])


def _was_not_tried(outcome: Outcome) -> bool:
    is_done = outcome.result in {Result.PROMOTED, Result.REPAIRED}
    return outcome.step.release is not None and outcome.attempt.trial is None and not is_done


def is_doubtful(trial: Trial) -> bool:
    """Return whether the result of a trial may be the fault of other steps that ran at the same time.

    * True if a tier failed, could not be judged or was not reached.
    * True if the base did not work.
    * True if data.check failed so late that lack of time may be the reason.
    * Else False, even if the trial was not cold (the gate's condition "cold"): the gate refuses such a release anyway.
    """
    base_is_broken = any(tier.skip is Skip.BASE_BROKEN for tier in trial.tiers)
    return not is_green(trial.tiers) or base_is_broken or trial.is_check_slow


@frozen
class CompanyFailure:
    """What came of a step that failed while other steps ran. Nothing was recorded of it.

    * `reason`: why the step failed, in one sentence.
    * `has_begun`: False if the step was not even tried, because the disk had no room for it beside the other steps.
    * `peak`: the most that its trial took of the disk; None if that was not measured.
    """

    reason: str
    has_begun: bool = True
    peak: DiskUse | None = None


def may_blame_company(outcome: Outcome) -> bool:
    """Return whether the outcome of a step may be the fault of other steps that ran at the same time.

    The first that applies decides:

    * True if the release is red, if this host failed, or if trials at the same time are to blame.
    * False if the release was promoted or repaired, or was not tried, for example because its folder was in use.
    * True if the trial is doubtful (see `is_doubtful`), or if an error ended the promotion.
    * True if the gate refused the release only by "tagged" and conditions on ways: a busy network or host may be why.
    * Else False.
    """
    attempt = outcome.attempt
    if outcome.result in {Result.RED, Result.INFRASTRUCTURE} or attempt.company_fault:
        return True
    if attempt.trial is None or outcome.result in {Result.PROMOTED, Result.REPAIRED}:
        return False
    refused = {condition.name for condition in attempt.refusals}
    doubtful = {"tagged", *(condition.name for condition in attempt.refusals if is_about_way(condition))}
    return is_doubtful(attempt.trial) or bool(attempt.promotion_error) or refused <= doubtful


def company_failure(outcome: Outcome) -> CompanyFailure | None:
    """Return how a step failed, if the steps that ran at the same time may be to blame; None if not."""
    if not may_blame_company(outcome):
        return None
    trial = outcome.attempt.trial
    peak = trial.peak if trial is not None else None
    return CompanyFailure(outcome.reason, has_begun=not outcome.attempt.company_fault, peak=peak)
