import re

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.expected_recipes import ExpectedRecipes
from reconciler.core.findings import Cause, MirrorState, compare
from reconciler.core.outcome import Result
from reconciler.core.plan import Action, make_plan
from reconciler.core.report import (
    Report,
    ReportBucket,
    ReportCommand,
    Row,
    bucket_of,
    summarise,
)
from tests.core import expected_findings
from tests.core.attempt_strategies import rows
from tests.core.report_cases import ASKING, DAMAGED, DOWN, RUN, UNKNOWN
from tests.strategies import ObservedFleet, observed_fleets

# ---- properties ----

fewer = settings(max_examples=60)  # each is a fleet of several rows


def rows_of(data: st.DataObject, world: ObservedFleet) -> list[Row]:
    plan = make_plan(compare(world.observations, world.orphans), world.observations, world.around)
    return [data.draw(rows(step)) for step in plan.steps.values()]


def told_of(world: ObservedFleet, told: list[Row]) -> Report:
    selected = {name: seen.recipe.enrolled for name, seen in world.observations.items()}
    run = evolve(RUN, command=ReportCommand.PASS)
    return summarise(run, ExpectedRecipes(len(selected), selected, len(selected), world.orphans), told)


def codes_of(world: ObservedFleet, row: Row) -> set[int]:
    """All that the exit table says of one recipe, from what was drawn."""
    seen = world.observations.get(row.recipe)
    state = (seen or world.orphans[row.recipe]).status.state
    codes = {UNKNOWN: {1}, DAMAGED: {3}, DOWN: {3}}.get(state, set())
    if seen is None:
        return codes | {4}
    if not seen.recipe.enrolled:
        return {0}
    cause = expected_findings.cause(seen)
    is_held = expected_findings.is_held(seen, world.around)
    wanted: set[int] = set() if is_held or expected_findings.is_too_young(seen) else {2}
    codes |= {Cause.UNOBSERVABLE: {1}, Cause.FIRST_RELEASE: wanted, Cause.NEW_RELEASE: wanted}.get(cause, set())
    codes |= {4} if cause in ASKING else set()
    is_kept_back = expected_findings.holds_red(seen, world.around) or expected_findings.is_refused(seen)
    if state is not UNKNOWN and not is_held and is_kept_back:
        codes |= {4}
    done = row.outcome.result if row.outcome else Result.NONE
    return codes | {Result.INFRASTRUCTURE: {1}, Result.RED: {4}, Result.GREEN_NOT_PROMOTED: {4}}.get(done, set())


@fewer
@given(observed_fleets(), st.data())
def test_the_exit_code_is_the_gravest_of_all_rows(world: ObservedFleet, data: st.DataObject) -> None:
    told = rows_of(data, world)
    codes = set().union(*(codes_of(world, row) for row in told))
    if not any(seen.recipe.enrolled for seen in world.observations.values()):
        codes.add(5)
    expected = next((code for code in (5, 1, 4, 3, 2) if code in codes), 0)
    assert told_of(world, told).exit_code == expected


@fewer
@given(observed_fleets(), st.data())
def test_the_sum_of_the_closing_line_closes(world: ObservedFleet, data: st.DataObject) -> None:
    report = told_of(world, rows_of(data, world))
    head, inside, outside, *trials = re.split(r"[:;]", report.line)
    enrolled, decided = (int(number) for number in re.findall(r"\d+", head))
    assert enrolled == decided == sum(int(number) for number in re.findall(r"\d+", inside))
    excepted, orphaned = (int(number) for number in re.findall(r"\d+", outside))
    assert (enrolled + excepted, orphaned) == (len(world.observations), len(world.orphans))
    assert sum(report.counts.values()) == len(report.rows)
    # Only a step that names a release is ever tried; the outcomes drawn here may hold a trial for any.
    planned = [row.outcome for row in report.rows if row.outcome is not None and row.outcome.step.release is not None]
    tried = [outcome for outcome in planned if outcome.attempt.trial is not None]
    assert [int(each.split()[0]) for each in trials] in ([], [len(tried)])


@fewer
@given(observed_fleets(), st.sampled_from((ReportCommand.PLAN, ReportCommand.DRIFT)))
def test_a_dry_run_counts_the_trials_that_the_pass_would_make_and_says_of_none_that_it_was_made(
    world: ObservedFleet, command: ReportCommand
) -> None:
    plan = make_plan(compare(world.observations, world.orphans), world.observations, world.around)
    selected = {name: seen.recipe.enrolled for name, seen in world.observations.items()}
    expected = ExpectedRecipes(len(selected), selected, len(selected), world.orphans)
    dry = summarise(evolve(RUN, command=command), expected, [Row(step, ()) for step in plan.steps.values()])
    would_try = [step for step in plan.steps.values() if step.action in {Action.PROMOTE, Action.RETEST}]
    assert (dry.population.to_try, dry.population.tried) == (len(would_try), 0)
    assert "tried" not in dry.line


@fewer
@given(observed_fleets(), st.data())
def test_a_row_that_is_missing_or_doubled_makes_the_run_hollow(world: ObservedFleet, data: st.DataObject) -> None:
    told = rows_of(data, world)
    row = data.draw(st.sampled_from(told))
    rest = [each for each in told if each is not row]
    assert told_of(world, [*told, row]).exit_code == 5
    assert told_of(world, rest).exit_code == 5
    for twin in rest:
        assert told_of(world, [*rest, twin]).exit_code == 5


@fewer
@given(observed_fleets(), st.data())
def test_unseen_or_unknown_is_never_counted_in_sync(world: ObservedFleet, data: st.DataObject) -> None:
    for row in rows_of(data, world):
        seen = world.observations.get(row.recipe)
        if seen is not None and (expected_findings.is_unseen(seen) or seen.status.state is UNKNOWN):
            assert bucket_of(row) is not ReportBucket.IN_SYNC
            assert not seen.recipe.enrolled or 1 in codes_of(world, row)


@fewer
@given(observed_fleets())
def test_a_mirror_alone_never_changes_the_code(world: ObservedFleet) -> None:
    plan = make_plan(compare(world.observations, world.orphans), world.observations, world.around)
    codes = set()
    for mirror in MirrorState:
        steps = [evolve(step, finding=evolve(step.finding, mirror=mirror)) for step in plan.steps.values()]
        codes.add(told_of(world, [Row(step, ()) for step in steps]).exit_code)
    assert len(codes) == 1
