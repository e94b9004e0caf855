"""The budget of trials: how many recipes a pass tries, which of them first, and how the others are reported."""

from datetime import timedelta
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from desired.model import Install
from reconciler.core.findings import compare
from reconciler.core.observation import CanonicalStatus, State
from reconciler.core.outcome import Result
from reconciler.core.plan import Action, HeldBack, Plan, make_plan
from reconciler.core.report import Report, ReportBucket, ReportCommand, bucket_of
from reconciler.core.trial_budget import budget_notes, within_trials
from reconciler.errors import InterruptedPassError
from reconciler.stages.explaining import explanations
from reconciler.stages.loop import reconcile
from reconciler.stages.planning import RunRequest
from reconciler.stages.preview import preview
from state.records import KnownTag
from tests.port_calls import Call, CallRecorder, CarryOut
from tests.strategies import ObservedFleet, observed_fleets
from tests.turn_workers import TurnWorkers
from tests.values import AROUND, NOW, canonical, commit, observation
from tests.world import World

NAMES = ("alpha", "beta", "gamma")


def tried(plan: Plan) -> set[str]:
    return {name for name, step in plan.steps.items() if step.release is not None}


@given(observed_fleets(), st.integers(1, 3))
def test_a_budget_leaves_no_more_trials_than_it_has_and_changes_no_other_step(world: ObservedFleet, most: int) -> None:
    whole = make_plan(compare(world.observations, world.orphans), world.observations, world.around)
    plan = within_trials(whole, world.observations, most)
    assert len(tried(plan)) == min(most, len(tried(whole)))
    over = {name for name, step in plan.steps.items() if step.held_back is HeldBack.OVER_BUDGET}
    assert over == tried(whole) - tried(plan)
    assert all(plan.steps[name] == step for name, step in whole.steps.items() if name not in over)
    assert bool(budget_notes(plan)) == bool(over)
    assert within_trials(whole, world.observations, None) == whole


def test_a_deployment_that_is_down_is_raised_although_its_new_release_is_over_budget() -> None:
    seen = observation({"1.0.0": commit("a"), "1.1.0": commit("b")}, canonical("1.0.0", commit("a")))
    down = evolve(seen, status=CanonicalStatus(State.DOWN, "it ended"), recipe=evolve(seen.recipe, name="b"))
    both = {"a": evolve(seen, recipe=evolve(seen.recipe, name="a")), "b": down}
    held = within_trials(make_plan(compare(both, {}), both, AROUND), both, 1).steps["b"]
    assert (held.action, held.redeploys, held.held_back) == (Action.REDEPLOY, ("b",), HeldBack.OVER_BUDGET)


def request(world: World, trials: int) -> RunRequest:
    return RunRequest(evolve(world.fleet, trials=trials), tuple(world.recipes), ReportCommand.PASS)


def one_pass(world: World, trials: int = 1) -> Report:
    return reconcile(world.host(), request(world, trials)).report


def test_the_recipe_whose_release_was_seen_first_is_tried_first() -> None:
    seen = observation({"1.0.0": commit("a"), "1.1.0": commit("b")}, canonical("1.0.0", commit("a")))
    both = {name: evolve(seen, recipe=evolve(seen.recipe, name=name)) for name in ("a", "b")}
    known = {"1.1.0": KnownTag(commit("b"), NOW - timedelta(days=9))}
    both["b"] = evolve(both["b"], memory=evolve(seen.memory, known=known))
    both["a"] = evolve(both["a"], memory=evolve(seen.memory, known={"1.1.0": KnownTag(commit("b"), NOW)}))
    assert tried(within_trials(make_plan(compare(both, {}), both, AROUND), both, 1)) == {"b"}


def test_each_pass_takes_up_what_the_one_before_left(tmp_path: Path) -> None:
    world = World.promoted(tmp_path, *NAMES)
    for name in NAMES:
        world.tag(name, "1.1.0")
    promoted = [row.recipe for _ in NAMES for row in one_pass(world).rows if row.result is Result.PROMOTED]
    assert promoted == list(NAMES)


@pytest.mark.parametrize("parallel", [1, 2])
def test_a_recipe_that_cannot_be_tried_gives_its_place_to_those_that_wait(tmp_path: Path, parallel: int) -> None:
    world = World(tmp_path)
    world.declare("accounts")
    for name in ("alpha", "aleph"):
        world.declare(name, install=Install(needs=("accounts",)))
        world.tag(name, "1.0.0")
    for name in ("beta", "gamma"):
        world.declare(name)
        world.tag(name, "1.0.0")
    world.state.create()
    workers = TurnWorkers(world, parallel, lambda names: names[0]) if parallel > 1 else None
    report = reconcile(world.host(), request(world, 1), workers=workers).report
    results = {row.recipe: row.result for row in report.rows}
    untried = dict.fromkeys(("alpha", "aleph"), Result.NOT_TRIED)
    assert results == {"accounts": Result.NONE, "beta": Result.PROMOTED, "gamma": Result.NONE, **untried}
    assert "over budget, left to a later pass: gamma" in report.notes


def test_a_signal_in_a_trial_that_got_a_free_place_is_said_of_its_recipe(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.declare("accounts")
    world.declare("alpha", install=Install(needs=("accounts",)))
    world.declare("beta")
    for name in ("alpha", "beta"):
        world.tag(name, "1.0.0")

    def interrupt(call: Call, honest: CarryOut) -> object:
        if call.name == "driver.deploy":
            raise InterruptedPassError(15)
        return honest()

    world.state.create()
    world.wrap = CallRecorder(interrupt)
    done = reconcile(world.host(), request(world, 1))
    beta = next(row for row in done.report.rows if row.recipe == "beta")
    assert (done.signal, beta.result) == (15, Result.NOT_TRIED)


def test_what_is_over_budget_counts_as_to_promote_and_is_named_in_a_note(tmp_path: Path) -> None:
    world = World.promoted(tmp_path, *NAMES)
    for name in NAMES:
        world.tag(name, "1.1.0")
    report = one_pass(world)
    assert "over budget, left to a later pass: beta, gamma" in report.notes
    left = [row for row in report.rows if row.result is not Result.PROMOTED]
    assert [bucket_of(row) for row in left] == [ReportBucket.TO_PROMOTE] * 2
    assert report.exit_code == 2
    look = preview(world.host(), request(world, 1))
    held = next(row for row in look.rows if row.step.held_back is HeldBack.OVER_BUDGET)
    assert held.step.reason.endswith("a pass tries at most 1, and those that wait longer come first: beta")


def test_a_trial_that_ends_by_a_fault_of_the_host_lets_the_others_go_first() -> None:
    seen = observation({"1.0.0": commit("a"), "1.1.0": commit("b")}, canonical("1.0.0", commit("a")))
    both = {name: evolve(seen, recipe=evolve(seen.recipe, name=name)) for name in ("a", "b")}
    both["a"] = evolve(both["a"], memory=evolve(seen.memory, last_trial_at=NOW))
    assert tried(within_trials(make_plan(compare(both, {}), both, AROUND), both, 1)) == {"b"}


def test_explain_names_the_budget_and_what_would_change_that(tmp_path: Path) -> None:
    world = World.promoted(tmp_path, "alpha", "beta")
    for name in ("alpha", "beta"):
        world.tag(name, "1.1.0")
    first, second = explanations(world.host(), request(world, 1))
    judged = {each.name: (each.status, each.evidence) for each in first.policies}
    assert judged["within-budget"] == ("pass", "a pass tries at most 1, those that wait longest")
    assert {each.name: each.status for each in second.policies}["within-budget"] == "fail"
    (blocker,) = [each for each in second.blockers if each.name == "within-budget"]
    assert ([change.by for change in blocker.any_of], blocker.needs_person) == (["a pass", "you"], False)
    told = preview(world.host(), RunRequest(world.fleet, ("alpha",), ReportCommand.PLAN))
    assert told.notes == ()
