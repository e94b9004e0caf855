"""Counts what the strategies draw: a property proves nothing of what is never drawn."""

from collections import Counter
from collections.abc import Hashable, Iterable

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from desired.want import not_releases
from reconciler.core.findings import Cause, MirrorState, compare
from reconciler.core.observation import State
from reconciler.core.outcome import Result, judge
from reconciler.core.plan import Action, HeldBack, Step, make_plan
from reconciler.core.report import ReportBucket, bucket_of
from state.records import Answer
from tests.core.attempt_strategies import acting_steps, attempts, read_backs, rows
from tests.strategies import ObservedFleet, observed_fleets

counting = settings(
    max_examples=300,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)


def assert_each_is_drawn(seen: Counter[Hashable], members: Iterable[Hashable], total: int) -> None:
    """At least one in a hundred; the strategies give each three or more, whatever the Python and the seed."""
    rare = {member: f"{100 * seen[member] / total:.1f} %" for member in members if seen[member] < total / 100}
    assert not rare, f"of {total}: {rare}"


def test_every_cause_state_mirror_action_hold_and_slice_is_drawn_often() -> None:
    causes, states, mirrors, actions, holds, slices = (Counter[Hashable]() for _ in range(6))
    odd: Counter[Hashable] = Counter()

    @counting
    @given(observed_fleets(), st.data())
    def count(world: ObservedFleet, data: st.DataObject) -> None:
        plan = make_plan(compare(world.observations, world.orphans), world.observations, world.around)
        for step in plan.steps.values():
            causes[step.finding.cause] += 1
            states[step.finding.status.state] += 1
            mirrors[step.finding.mirror] += 1
            actions[step.action] += 1
            holds[step.held_back] += 1
            slices[bucket_of(data.draw(rows(step)))] += 1
        for observation in world.observations.values():
            odd["a tag that is no release"] += isinstance(observation.answer, Answer) and bool(
                not_releases(observation.answer.tags)
            )
            odd["a red remembered"] += bool(observation.memory.reds)
            odd["seen for the first time"] += not observation.memory.known
            odd["needs another"] += bool(observation.recipe.install.needs)
            odd["all"] += 1

    count()
    assert_each_is_drawn(causes, Cause, causes.total())
    assert_each_is_drawn(states, State, states.total())
    assert_each_is_drawn(mirrors, MirrorState, mirrors.total())
    assert_each_is_drawn(actions, Action, actions.total())
    # The budget of a fleet is applied to the whole plan, after it is made.
    assert_each_is_drawn(holds, set(HeldBack) - {HeldBack.OVER_BUDGET}, holds.total())
    # What drift ignores is decided by the declaration and the look that it is given; these rows have none.
    assert_each_is_drawn(slices, set(ReportBucket) - {ReportBucket.IGNORED}, slices.total())
    assert_each_is_drawn(odd, odd, odd["all"])


def test_every_result_of_an_acting_step_is_drawn_often() -> None:
    results: Counter[Hashable] = Counter()

    @counting
    @given(acting_steps(), st.data())
    def count(step: Step, data: st.DataObject) -> None:
        attempt = data.draw(attempts(step))
        results[judge(step, attempt, data.draw(read_backs(step, attempt.trial))).result] += 1

    count()
    assert_each_is_drawn(results, set(Result) - {Result.NONE}, results.total())
