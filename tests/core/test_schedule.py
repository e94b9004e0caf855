from collections.abc import Iterator, Mapping

import pytest
from attrs import evolve, frozen
from hypothesis import given
from hypothesis import strategies as st

from desired.model import Install, Recipe, TierName
from desired.releases import Release
from reconciler.core.gate import Condition, ConditionStatus
from reconciler.core.outcome import Attempt, Outcome, Result
from reconciler.core.plan import Action, Plan, Step
from reconciler.core.schedule import Schedule, claims_of, make_schedule, may_blame_company, next_starts
from reconciler.core.tier_results import Skip, Verdict, failed_late
from tests.values import commit, finding, recipe, tier, trial

NAMES = tuple("abcdefg")
APPS = tuple("vwxyz")
RELEASE = Release("1.0.0", commit("1"))


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    order = tuple(draw(st.permutations(NAMES))[: draw(st.integers(0, len(NAMES)))])
    few = st.frozensets(st.sampled_from(APPS), max_size=2)
    return Schedule(order, {name: draw(few) | {name} for name in order}, draw(st.integers(1, 4)))


@frozen
class StepEvent:
    """A step starts or ends, with the steps that run afterwards or before. `failed`: it ends, and is to run again."""

    recipe: str
    running: frozenset[str]
    starts: bool = False
    alone: bool = False
    failed: bool = False


def events(schedule: Schedule, data: st.DataObject) -> Iterator[StepEvent]:
    """Carry out the schedule, and draw which step ends next and how."""
    finished: set[str] = set()
    running: dict[str, bool] = {}
    failed: set[str] = set()
    while len(finished) < len(schedule.order):
        starts = next_starts(schedule, finished, running, failed)
        assert starts or running, "nothing runs, and nothing starts"
        for start in starts:
            running[start.recipe] = start.alone
            yield StepEvent(start.recipe, frozenset(running), starts=True, alone=start.alone)
        ends = data.draw(st.sampled_from(sorted(running)))
        again = not running[ends] and data.draw(st.booleans())
        yield StepEvent(ends, frozenset(running), alone=running.pop(ends), failed=again)
        (failed if again else finished).add(ends)


@given(schedules(), st.data())
def test_steps_that_claim_the_same_never_run_together_and_never_change_their_order(
    schedule: Schedule, data: st.DataObject
) -> None:
    begun: list[str] = []
    for event in events(schedule, data):
        claims = [claim for name in event.running for claim in schedule.claims[name]]
        assert len(claims) == len(set(claims))
        assert len(event.running) <= schedule.parallel
        if event.starts and event.recipe not in begun:
            begun.append(event.recipe)
    for place, name in enumerate(begun):
        later = [each for each in begun[place + 1 :] if schedule.claims[each] & schedule.claims[name]]
        assert all(schedule.order.index(name) < schedule.order.index(each) for each in later)


@given(schedules(), st.data())
def test_every_step_ends_once_and_one_that_failed_beside_others_runs_again_alone(
    schedule: Schedule, data: st.DataObject
) -> None:
    seen = list(events(schedule, data))
    for event in seen:
        assert not event.alone or event.running == {event.recipe}
    for name in schedule.order:
        starts = [event for event in seen if event.starts and event.recipe == name]
        fails = sum(event.failed for event in seen if event.recipe == name)
        assert len(starts) == fails + 1 <= 2
        assert fails == 0 or starts[-1].alone


def test_without_company_every_step_runs_alone() -> None:
    one = Schedule(NAMES, {name: frozenset({name}) for name in NAMES}, 1)
    assert [(start.recipe, start.alone) for start in next_starts(one, (), (), ())] == [("a", True)]


# ---- claims ----


def scheduled(**recipes: Recipe) -> Schedule:
    steps = {name: Step(finding(name), Action.PROMOTE, "new", RELEASE) for name in recipes}
    return make_schedule(Plan(steps, tuple(steps)), recipes, 3)


def apart(one: Recipe, other: Recipe) -> bool:
    schedule = scheduled(**{one.name: one, other.name: other})
    return schedule.before(other.name) == (one.name,)


def with_settings(name: str, **env: str) -> Recipe:
    return evolve(recipe(name), install=Install(env=env))


def on_swarm(one: Recipe) -> Recipe:
    return evolve(one, driver="swarm")


@pytest.mark.parametrize(
    ("one", "other", "are_apart"),
    [
        (recipe("a"), recipe("b"), False),
        (recipe("a"), evolve(recipe("b"), install=Install(needs=("a",))), True),
        (with_settings("a", DOMAIN="x.example"), with_settings("b", DOMAIN="x.example"), True),
        (with_settings("a", DOMAIN="x.example"), with_settings("b", EXTRA_DOMAINS="y.example,x.example"), True),
        (with_settings("a", DOMAIN="x.example"), with_settings("b", DOMAIN="y.example"), False),
        (with_settings("a", SMTP_PORT="2525"), with_settings("b", PORT_OF_MAIL="2525"), True),
        (on_swarm(with_settings("a", SMTP_PORT="587")), on_swarm(with_settings("b", SMTP_PORT="587")), False),
        (with_settings("a", SUPPORT="us"), with_settings("b", SUPPORT="us"), False),
        (evolve(recipe("a"), driver="abra"), evolve(recipe("b"), driver="abra"), True),
        (on_swarm(recipe("a")), on_swarm(recipe("b")), False),
    ],
)
def test_recipes_with_a_common_need_domain_or_port_and_recipes_of_abra_are_apart(
    one: Recipe, other: Recipe, *, are_apart: bool
) -> None:
    assert apart(one, other) is are_apart


def test_two_recipes_that_need_the_same_third_one_are_apart() -> None:
    needing = Install(needs=("base",))
    schedule = scheduled(
        base=recipe("base"), a=evolve(recipe("a"), install=needing), b=evolve(recipe("b"), install=needing)
    )
    assert schedule.before("b") == ("base", "a")


def test_a_recipe_claims_its_own_name() -> None:
    assert list(claims_of(recipe("a"))) == ["app a"]


# ---- whom to blame ----

GREEN = trial(RELEASE)
UNTAGGED = (Condition("tagged", ConditionStatus.FAIL, "upstream could not be asked again: no answer"),)
ELSEWHERE = (Condition("at-home", ConditionStatus.FAIL, "run: systemctl start reconcile.service"),)
BROKEN_BASE = evolve(
    GREEN,
    tiers=(*GREEN.tiers[:1], evolve(tier(TierName.UPGRADE, Verdict.SKIP), skip=Skip.BASE_BROKEN), *GREEN.tiers[2:]),
)

OUTCOMES: Mapping[str, tuple[Result, Attempt, bool]] = {
    "promoted": (Result.PROMOTED, Attempt(GREEN), False),
    "red": (Result.RED, Attempt(GREEN), True),
    "a fault of the host": (Result.INFRASTRUCTURE, Attempt(untried_reason="no app"), True),
    "another command has its slot": (Result.NOT_TRIED, Attempt(untried_reason="in use"), False),
    "refused for its place": (Result.GREEN_NOT_PROMOTED, Attempt(GREEN, refusals=ELSEWHERE), False),
    "upstream gave no answer": (Result.GREEN_NOT_PROMOTED, Attempt(GREEN, refusals=UNTAGGED), True),
    "the candidate did not rise": (Result.GREEN_NOT_PROMOTED, Attempt(GREEN, promotion_error="slow"), True),
    "green, and not promoted": (Result.GREEN_NOT_PROMOTED, Attempt(GREEN), True),
    "its base did not come up": (Result.GREEN_NOT_PROMOTED, Attempt(BROKEN_BASE, refusals=ELSEWHERE), True),
    "its check failed late": (
        Result.GREEN_NOT_PROMOTED,
        Attempt(evolve(GREEN, is_check_slow=True), refusals=ELSEWHERE),
        True,
    ),
}


@pytest.mark.parametrize("name", OUTCOMES)
def test_other_steps_may_be_to_blame_for_all_but_success_and_decisions_of_people(name: str) -> None:
    result, attempt, is_doubtful = OUTCOMES[name]
    step = Step(finding(), Action.PROMOTE, "new", RELEASE)
    assert may_blame_company(Outcome(step, result, "why", attempt, None)) is is_doubtful


@given(st.floats(0, 100), st.floats(0, 100), st.floats(0, 100))
def test_a_check_that_failed_no_later_than_it_passed_did_not_want_time(
    failed: float, passed: float, more: float
) -> None:
    assert not failed_late(min(failed, passed), passed)
    assert failed_late(failed, passed) <= failed_late(failed + more, passed)
    assert failed_late(2 * passed + 1, passed)
