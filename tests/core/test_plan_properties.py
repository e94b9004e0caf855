from attrs import asdict, evolve
from hypothesis import given
from hypothesis import strategies as st

from desired.model import Keep
from desired.releases import Unobservable
from reconciler.core.findings import Cause, MirrorState, compare, needs_fetch
from reconciler.core.observation import CanonicalStatus, MirrorContents, Observation, State
from reconciler.core.plan import Plan, make_plan
from tests.core import expected_findings
from tests.core.plan_cases import (
    EXCEPTED,
    NONE,
    PROMOTE,
    QUARANTINED,
    RED_BEFORE,
    REDEPLOY,
    REFETCH,
    RETEST,
    down,
    planned,
)
from tests.strategies import RANK, ObservedFleet, changed_circumstances, observations, observed_fleets
from tests.values import AROUND, circumstances, commit, red

# ---- properties ----


def is_raised(world: ObservedFleet, name: str) -> bool:
    """Whether a deployment is to be kept running, and is down."""
    seen = world.observations.get(name)
    return seen is not None and seen.recipe.enrolled and seen.status.state is State.DOWN


def plan_of(world: ObservedFleet) -> Plan:
    return make_plan(compare(world.observations, world.orphans), world.observations, world.around)


@given(observed_fleets())
def test_a_plan_has_one_step_for_every_declared_recipe_and_every_orphan(world: ObservedFleet) -> None:
    plan = plan_of(world)
    assert sorted(plan.steps) == sorted([*world.observations, *world.orphans])
    assert all(step.recipe == name and step.reason for name, step in plan.steps.items())
    assert sorted(plan.order) == sorted(world.observations)


@given(observed_fleets())
def test_the_order_puts_every_need_first(world: ObservedFleet) -> None:
    order = plan_of(world).order
    for name, seen in world.observations.items():
        assert all(order.index(need) < order.index(name) for need in seen.recipe.install.needs)


@given(observed_fleets())
def test_nothing_is_done_where_it_could_not_be_seen_or_a_person_must_decide(world: ObservedFleet) -> None:
    still = {Cause.UNOBSERVABLE, Cause.MOVED, Cause.AHEAD, Cause.AMBIGUOUS, Cause.NEVER_RELEASED, Cause.ORPHANED}
    for name, step in plan_of(world).steps.items():
        cause = expected_findings.cause(world.observations[name]) if name in world.observations else Cause.ORPHANED
        if cause in still or step.finding.status.state is State.UNKNOWN:
            assert (step.release, step.circumstances) == (None, None)
            assert step.action is (REDEPLOY if is_raised(world, name) else NONE)


def apps_with(world: ObservedFleet, name: str) -> set[str]:
    """A recipe and all that it needs."""
    apps: set[str] = set()
    left = [name]
    while left:
        apps.add(app := left.pop())
        left += world.observations[app].recipe.install.needs
    return apps


@given(observed_fleets())
def test_after_a_trial_just_the_kept_recipes_that_share_an_app_with_it_are_deployed_again(world: ObservedFleet) -> None:
    kept = {
        name
        for name, seen in world.observations.items()
        if seen.recipe.enrolled and seen.recipe.canonical.keep is Keep.RUNNING
    }
    for name, step in plan_of(world).steps.items():
        if step.release is not None:
            assert set(step.redeploys) == {each for each in kept if apps_with(world, each) & apps_with(world, name)}
        else:
            assert step.redeploys == ((name,) if step.action is REDEPLOY else ())


@given(observed_fleets())
def test_a_refetch_is_planned_only_where_a_pass_has_fetched(world: ObservedFleet) -> None:
    for name, step in plan_of(world).steps.items():
        if step.action is REFETCH:
            assert needs_fetch(world.observations[name])
            assert step.finding.mirror in {MirrorState.MISSING, MirrorState.UNKNOWN}


@given(observed_fleets())
def test_only_the_wanted_release_is_promoted_and_only_the_recorded_one_repaired(world: ObservedFleet) -> None:
    for name, step in plan_of(world).steps.items():
        if step.release is None:
            assert step.action is not PROMOTE
            continue
        seen = world.observations[name]
        have = seen.canonical
        assert have is None or RANK[step.release.version] >= RANK[have.version]
        if step.action is PROMOTE:
            assert (step.release.version, step.release.commit) == expected_findings.wanted(seen)
        else:
            assert step.action is RETEST
            assert have is not None
            assert (RANK[step.release.version], step.release.commit) == (RANK[have.version], have.commit)
            assert seen.status.state is State.DAMAGED


@given(observations())
def test_being_down_changes_neither_the_release_that_is_tried_nor_the_order(seen: Observation) -> None:
    up = planned(evolve(seen, status=CanonicalStatus(State.INTACT)))
    fell = planned(down(seen))
    same = (fell.release, fell.held_back, fell.needs_person, fell.circumstances)
    assert same == (up.release, up.held_back, up.needs_person, up.circumstances)
    assert fell.reason.startswith(up.reason)
    assert fell.action is (up.action if up.release is not None or not seen.recipe.enrolled else REDEPLOY)


@given(observations(), st.data())
def test_a_red_is_not_tried_under_equal_circumstances_and_is_under_any_other(
    seen: Observation, data: st.DataObject
) -> None:
    fresh = evolve(seen, memory=evolve(seen.memory, reds={}))
    step = planned(fresh)
    if step.release is None:
        return
    version, under = step.release.version, circumstances(step.release.commit)

    same = planned(evolve(fresh, memory=evolve(fresh.memory, reds={version: red(version, under)})))
    assert same.release != step.release
    assert same.action is RETEST or (same.held_back is RED_BEFORE and same.needs_person)
    assert same.red == (red(version, under) if same.held_back is RED_BEFORE else None)
    other = data.draw(changed_circumstances(under))
    again = planned(evolve(fresh, memory=evolve(fresh.memory, reds={version: red(version, other)})))
    assert evolve(again, reason=step.reason) == step
    words = {
        "commit": "its commit",
        "tests": "its tests, its declaration or its needs",
        "canon": "Canon",
        "place": "the place",
        "versions": "the versions of its tools",
    }
    [changed] = [words[name] for name, value in asdict(other).items() if value == "changed"]
    assert f"it was red on 2026-02-21 04:00, tried again since {changed} changed" in again.reason
    assert "tried again" not in step.reason


@given(observations())
def test_a_person_may_ask_for_a_red_to_be_tried(seen: Observation) -> None:
    fresh = evolve(seen, memory=evolve(seen.memory, reds={}))
    asked = evolve(AROUND, retry=("notes",))
    step = make_plan(compare({"notes": seen}, {}), {"notes": seen}, asked).steps["notes"]
    assert evolve(step, reason="") == evolve(planned(fresh), reason="")
    others = make_plan(compare({"notes": seen}, {}), {"notes": seen}, evolve(AROUND, retry=("gitea",)))
    assert others.steps["notes"] == planned(seen)


@given(observations())
def test_a_mirror_that_is_behind_never_causes_an_action(seen: Observation) -> None:
    equal = planned(evolve(seen, mirror=MirrorContents(commit("main"), expected_findings.mirrored(seen))))
    behind = planned(evolve(seen, mirror=MirrorContents(commit("old"), {})))
    if not isinstance(seen.answer, Unobservable):
        assert (equal.finding.mirror, behind.finding.mirror) == (MirrorState.EQUAL, MirrorState.BEHIND)
    assert evolve(behind, finding=equal.finding) == equal


@given(observations())
def test_an_excepted_recipe_is_never_acted_on(seen: Observation) -> None:
    excepted = evolve(seen, recipe=evolve(seen.recipe, enrolled=False, exception="why"))
    step = planned(excepted)
    assert (step.action, step.held_back) == (NONE, EXCEPTED)
    assert step.finding.cause is expected_findings.cause(seen)


@given(observations())
def test_a_hold_says_why_while_the_cause_stays(seen: Observation) -> None:
    step = planned(seen)
    assert step.finding.cause is expected_findings.cause(seen)
    if step.held_back is not None:
        raised = seen.recipe.enrolled and seen.status.state is State.DOWN
        assert (step.action, step.release) == (REDEPLOY if raised else NONE, None)
    assert (step.held_back is QUARANTINED) is (seen.recipe.enrolled and expected_findings.cause(seen) is Cause.MOVED)
