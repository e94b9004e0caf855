from collections import Counter

import pytest
from attrs import evolve

from reconciler.core.exit_codes import GRAVEST_FIRST
from reconciler.core.expected_recipes import ExpectedRecipes
from reconciler.core.findings import Cause
from reconciler.core.outcome import Result
from reconciler.core.report import (
    CODE_OF,
    Report,
    ReportBucket,
    Row,
    summarise,
)
from tests.core.report_cases import BOTH, CASES, EXCEPTED, INTACT, RUN, A, B, BucketCase


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
