import re
from collections import Counter

import pytest
from attrs import evolve, frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.exit_codes import GRAVEST_FIRST
from reconciler.core.expected_recipes import ExpectedRecipes
from reconciler.core.findings import Cause, MirrorState, compare
from reconciler.core.observation import State
from reconciler.core.outcome import Attempt, Outcome, Result
from reconciler.core.plan import Action, HeldBack, Step, make_plan
from reconciler.core.report import (
    CODE_OF,
    Report,
    ReportBucket,
    ReportCommand,
    Row,
    Run,
    bucket_of,
    summarise,
)
from tests.core import expected_findings
from tests.core.attempt_strategies import rows
from tests.strategies import ObservedFleet, observed_fleets
from tests.values import HERE, NOW, finding

RUN = Run(ReportCommand.PLAN, "pass-1", NOW, NOW, HERE, "canon-1", "fleet-1")
NONE, PROMOTE = Action.NONE, Action.PROMOTE
RETEST, REFETCH, REDEPLOY = Action.RETEST, Action.REFETCH, Action.REDEPLOY
INTACT, DAMAGED, DOWN, UNKNOWN, NO_STATE = State.INTACT, State.DAMAGED, State.DOWN, State.UNKNOWN, State.NONE
EXCEPTED, RED_BEFORE, QUARANTINED = HeldBack.EXCEPTED, HeldBack.RED_BEFORE, HeldBack.QUARANTINED
HELD = HeldBack.HELD


@frozen
class BucketCase:
    """What is left of one recipe and what a pass did about it before; where it counts and the exit code it makes."""

    about: str
    cause: Cause
    state: State
    slice: ReportBucket
    code: int
    action: Action = NONE
    held_back: HeldBack | None = None
    result: Result = Result.NONE

    def row(self, name: str = "notes") -> Row:
        found = finding(name, self.cause, self.state)
        asks = self.held_back in {RED_BEFORE, QUARANTINED} or self.cause in ASKING
        step = Step(found, self.action, found.reason, held_back=self.held_back, needs_person=asks)
        outcome = Outcome(step, self.result, "it was so", Attempt(), None)
        return Row(step, (), None if self.result is Result.NONE else outcome)


ASKING = {Cause.MOVED, Cause.AHEAD, Cause.AMBIGUOUS, Cause.ORPHANED}

CASES = [
    BucketCase("in sync", Cause.IN_SYNC, INTACT, ReportBucket.IN_SYNC, 0),
    BucketCase("promoted", Cause.IN_SYNC, INTACT, ReportBucket.IN_SYNC, 0, result=Result.PROMOTED),
    BucketCase("repaired", Cause.IN_SYNC, INTACT, ReportBucket.IN_SYNC, 0, result=Result.REPAIRED),
    BucketCase("mirror missing", Cause.IN_SYNC, INTACT, ReportBucket.IN_SYNC, 0, REFETCH),
    BucketCase("never released", Cause.NEVER_RELEASED, NO_STATE, ReportBucket.NEVER_RELEASED, 0),
    BucketCase("excepted", Cause.IN_SYNC, INTACT, ReportBucket.EXCEPTED, 0, held_back=EXCEPTED),
    BucketCase("excepted and unseen", Cause.UNOBSERVABLE, UNKNOWN, ReportBucket.EXCEPTED, 0, held_back=EXCEPTED),
    BucketCase("excepted and damaged", Cause.IN_SYNC, DAMAGED, ReportBucket.EXCEPTED, 0, held_back=EXCEPTED),
    BucketCase("first release", Cause.FIRST_RELEASE, NO_STATE, ReportBucket.TO_PROMOTE, 2, PROMOTE),
    BucketCase("new release", Cause.NEW_RELEASE, INTACT, ReportBucket.TO_PROMOTE, 2, PROMOTE),
    BucketCase("not tried", Cause.NEW_RELEASE, INTACT, ReportBucket.TO_PROMOTE, 2, PROMOTE, result=Result.NOT_TRIED),
    BucketCase("on hold", Cause.NEW_RELEASE, INTACT, ReportBucket.HELD, 0, held_back=HELD),
    BucketCase("on hold, in sync", Cause.IN_SYNC, INTACT, ReportBucket.HELD, 0, held_back=HELD),
    BucketCase("on hold, never released", Cause.NEVER_RELEASED, NO_STATE, ReportBucket.HELD, 0, held_back=HELD),
    BucketCase("too young", Cause.NEW_RELEASE, INTACT, ReportBucket.HELD, 0, held_back=HeldBack.TOO_YOUNG),
    BucketCase("on hold, damaged", Cause.NEW_RELEASE, DAMAGED, ReportBucket.DAMAGED, 3, held_back=HELD),
    BucketCase("on hold, down", Cause.NEW_RELEASE, DOWN, ReportBucket.DAMAGED, 3, REDEPLOY, held_back=HELD),
    BucketCase("on hold, ahead", Cause.AHEAD, INTACT, ReportBucket.NEEDS_PERSON, 4, held_back=HELD),
    BucketCase("on hold, unobservable", Cause.UNOBSERVABLE, INTACT, ReportBucket.UNOBSERVABLE, 1, held_back=HELD),
    BucketCase("damaged", Cause.IN_SYNC, DAMAGED, ReportBucket.DAMAGED, 3, RETEST),
    BucketCase("down", Cause.IN_SYNC, DOWN, ReportBucket.DAMAGED, 3, REDEPLOY),
    BucketCase("down, new release", Cause.NEW_RELEASE, DOWN, ReportBucket.DAMAGED, 3, PROMOTE),
    BucketCase(
        "down, red before", Cause.NEW_RELEASE, DOWN, ReportBucket.NEEDS_PERSON, 4, REDEPLOY, held_back=RED_BEFORE
    ),
    BucketCase("down, unobservable", Cause.UNOBSERVABLE, DOWN, ReportBucket.UNOBSERVABLE, 1, REDEPLOY),
    BucketCase(
        "down, not raised", Cause.IN_SYNC, DOWN, ReportBucket.INFRASTRUCTURE, 1, REDEPLOY, result=Result.INFRASTRUCTURE
    ),
    BucketCase("damaged, new release", Cause.NEW_RELEASE, DAMAGED, ReportBucket.DAMAGED, 3, PROMOTE),
    BucketCase("damaged, not tried", Cause.IN_SYNC, DAMAGED, ReportBucket.DAMAGED, 3, RETEST, result=Result.NOT_TRIED),
    BucketCase("red before", Cause.NEW_RELEASE, INTACT, ReportBucket.NEEDS_PERSON, 4, held_back=RED_BEFORE),
    BucketCase("red before, damaged", Cause.NEW_RELEASE, DAMAGED, ReportBucket.NEEDS_PERSON, 4, held_back=RED_BEFORE),
    BucketCase("red", Cause.NEW_RELEASE, INTACT, ReportBucket.NEEDS_PERSON, 4, held_back=RED_BEFORE, result=Result.RED),
    BucketCase("red, forgotten", Cause.NEW_RELEASE, INTACT, ReportBucket.NEEDS_PERSON, 4, PROMOTE, result=Result.RED),
    BucketCase(
        "green, not", Cause.NEW_RELEASE, INTACT, ReportBucket.NEEDS_PERSON, 4, PROMOTE, result=Result.GREEN_NOT_PROMOTED
    ),
    BucketCase("ambiguous", Cause.AMBIGUOUS, INTACT, ReportBucket.NEEDS_PERSON, 4),
    BucketCase("ahead", Cause.AHEAD, INTACT, ReportBucket.NEEDS_PERSON, 4),
    BucketCase("ahead, damaged", Cause.AHEAD, DAMAGED, ReportBucket.NEEDS_PERSON, 4),
    BucketCase("moved", Cause.MOVED, INTACT, ReportBucket.NEEDS_PERSON, 4, held_back=QUARANTINED),
    BucketCase("orphaned", Cause.ORPHANED, INTACT, ReportBucket.ORPHANED, 4),
    BucketCase("orphaned, damaged", Cause.ORPHANED, DAMAGED, ReportBucket.ORPHANED, 4),
    BucketCase("orphaned, unknown", Cause.ORPHANED, UNKNOWN, ReportBucket.ORPHANED, 1),
    BucketCase("unobservable", Cause.UNOBSERVABLE, INTACT, ReportBucket.UNOBSERVABLE, 1),
    BucketCase("unobservable, damaged", Cause.UNOBSERVABLE, DAMAGED, ReportBucket.UNOBSERVABLE, 1),
    BucketCase("unknown", Cause.IN_SYNC, UNKNOWN, ReportBucket.UNOBSERVABLE, 1),
    BucketCase("ambiguous, unknown", Cause.AMBIGUOUS, UNKNOWN, ReportBucket.UNOBSERVABLE, 1),
    BucketCase(
        "host", Cause.NEW_RELEASE, INTACT, ReportBucket.INFRASTRUCTURE, 1, PROMOTE, result=Result.INFRASTRUCTURE
    ),
    BucketCase(
        "host, damaged", Cause.IN_SYNC, DAMAGED, ReportBucket.INFRASTRUCTURE, 1, RETEST, result=Result.INFRASTRUCTURE
    ),
]


def report_of(*told: Row, enrolled: dict[str, bool] | None = None, declared: int | None = None) -> Report:
    """A report of exactly these rows; who is enrolled is told from the rows unless given."""
    selected = enrolled or {
        row.recipe: row.step.held_back is not EXCEPTED for row in told if row.finding.cause is not Cause.ORPHANED
    }
    orphans = {row.recipe for row in told if row.finding.cause is Cause.ORPHANED}
    roll = ExpectedRecipes(len(selected) if declared is None else declared, selected, len(selected), orphans)
    return summarise(RUN, roll, told)


CALM = BucketCase("in sync", Cause.IN_SYNC, INTACT, ReportBucket.IN_SYNC, 0).row("calm")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.about)
def test_a_recipe_counts_once_in_its_gravest_place(case: BucketCase) -> None:
    report = report_of(CALM, case.row())
    expected = Counter({ReportBucket.IN_SYNC: 1}) + Counter({case.slice: 1})
    assert Counter(report.counts) == expected
    assert report.exit_code == case.code
    assert report.notes == ()


def test_the_gravest_code_wins_by_5_1_4_3_2() -> None:
    assert GRAVEST_FIRST == (5, 1, 4, 3, 2, 0)
    by_code = {case.code: case for case in CASES}
    gravest_first = [1, 4, 3, 2, 0]
    for place, code in enumerate(gravest_first):
        milder = [by_code[each].row(f"r{each}") for each in gravest_first[place:]]
        assert report_of(CALM, *milder).exit_code == code


def test_every_slice_has_a_code() -> None:
    assert set(CODE_OF) == set(ReportBucket)
    assert set(report_of(CALM).counts) == set(ReportBucket)


def many(count: int, about: str, prefix: str) -> list[Row]:
    case = next(case for case in CASES if case.about == about)
    return [case.row(f"{prefix}{number}") for number in range(count)]


def test_the_closing_line_of_a_whole_fleet() -> None:
    told = [
        *many(15, "in sync", "a"),
        *many(3, "new release", "b"),
        *many(1, "damaged", "c"),
        *many(1, "moved", "d"),
        *many(1, "never released", "e"),
        *many(2, "excepted", "f"),
    ]
    report = report_of(*told)
    assert report.line == (
        "21 enrolled, 21 decided: 15 in sync, 3 to promote, 1 damaged, 0 held, 1 needs you, 1 never released, "
        "0 unobservable; 2 excepted, 0 orphaned"
    )
    assert report.exit_code == 4


def test_the_closing_line_of_a_fleet_in_order() -> None:
    assert report_of(CALM).line == (
        "1 enrolled, 1 decided: 1 in sync, 0 to promote, 0 damaged, 0 held, 0 need you, 0 never released, "
        "0 unobservable; 0 excepted, 0 orphaned"
    )


def test_the_closing_line_of_a_fleet_in_trouble() -> None:
    told = [
        *many(2, "host", "a"),
        *many(2, "unobservable", "b"),
        *many(2, "red before", "c"),
        *many(1, "orphaned", "d"),
    ]
    assert report_of(*told).line == (
        "6 enrolled, 6 decided: 0 in sync, 0 to promote, 0 damaged, 0 held, 2 need you, 0 never released, "
        "2 unobservable, 2 infrastructure; 0 excepted, 1 orphaned"
    )


def test_the_closing_line_of_a_selection_says_of_how_many() -> None:
    assert report_of(CALM, declared=21).line == (
        "1 of 21 selected: 1 enrolled, 1 decided: 1 in sync, 0 to promote, 0 damaged, 0 held, 0 need you, "
        "0 never released, 0 unobservable; 0 excepted, 0 orphaned"
    )


def test_rows_are_in_the_order_of_names_and_say_what_was_done() -> None:
    done = next(case for case in CASES if case.about == "promoted").row("b")
    report = report_of(done, finding_row := many(1, "in sync", "a")[0])
    assert report.rows == (finding_row, done)
    assert [row.result for row in report.rows] == [Result.NONE, Result.PROMOTED]
    assert report.run is RUN


def test_a_run_without_enrolled_recipes_is_hollow() -> None:
    nothing = summarise(RUN, ExpectedRecipes(0, {}, 0), [])
    assert (nothing.exit_code, nothing.notes) == (5, ("nothing is enrolled",))
    excepted = report_of(*many(3, "excepted", "a"))
    assert (excepted.exit_code, excepted.notes) == (5, ("nothing is enrolled",))
    orphans = report_of(*many(1, "orphaned", "a"))
    assert orphans.exit_code == 5


BOTH = {"a": True, "b": True}
A, B = (next(case for case in CASES if case.about == "in sync").row(name) for name in BOTH)
(D,) = many(1, "orphaned", "d")


@pytest.mark.parametrize(
    ("observed", "told", "note"),
    [
        (1, [A, B, D], "2 recipes selected but 1 observed"),
        (2, [A, D], "2 recipes selected but 1 decided"),
        (2, [A, A, D], "2 recipes selected but 1 reported"),
        (2, [A, A, D], "a is reported 2 times"),
        (2, [A, CALM, D], "2 recipes selected but 1 reported"),
        (2, [A, B, CALM, D], "2 recipes selected but 3 decided"),
        (2, [A, evolve(B, step=evolve(B.step, held_back=EXCEPTED)), D], "2 recipes enrolled but 1 counted"),
        (2, [A, B, D, D], "d0 is reported 2 times"),
        (2, [A, B], "1 recipes orphaned but 0 counted"),
        (2, [A, B, D, D], "1 recipes orphaned but 2 counted"),
    ],
)
def test_sums_that_do_not_close_are_hollow_and_say_what_is_missing(observed: int, told: list[Row], note: str) -> None:
    report = summarise(RUN, ExpectedRecipes(2, BOTH, observed, {"d0"}), told, ["a note"])
    assert report.exit_code == 5
    assert report.notes[0] == "a note"
    assert note in report.notes


# ---- properties ----

fewer = settings(max_examples=60)  # each is a fleet of several rows


def rows_of(data: st.DataObject, world: ObservedFleet) -> list[Row]:
    plan = make_plan(compare(world.observations, world.orphans), world.observations, world.around)
    return [data.draw(rows(step)) for step in plan.steps.values()]


def told_of(world: ObservedFleet, told: list[Row]) -> Report:
    selected = {name: seen.recipe.enrolled for name, seen in world.observations.items()}
    return summarise(RUN, ExpectedRecipes(len(selected), selected, len(selected), world.orphans), told)


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
    if state is not UNKNOWN and not is_held and expected_findings.holds_red(seen, world.around):
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
