"""What is decided about a leap and a fall, and how the ledger keeps their cases."""

import json
from datetime import UTC, datetime

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from desired.model import WayName
from desired.releases import Release
from reconciler.core.way_cases import DataSource, Kill, Moment, WayCase, answer_of, gravest_kind
from reconciler.core.way_kinds import (
    GRAVEST_FIRST,
    LeapFacts,
    WayAnswer,
    WayKind,
    is_danger,
    kind_of_fall,
    kind_of_leap,
    kind_words,
)
from reconciler.core.way_records import recorded_way, way_body, way_sentence
from reconciler.core.ways import RecordedWay, WayResult, due_ways, is_dangerous, way_text

AT = datetime(2026, 11, 29, tzinfo=UTC)
NEW = Release("1.1.0", "b" * 40)
KEPT, FRESH, NONE = DataSource("1.0.0", "a" * 40, 3), DataSource("0.9.0", "c" * 40), DataSource(">=7")
LEAP = WayResult(
    "notes",
    WayName.LEAP,
    WayAnswer.NO,
    NEW,
    kind=WayKind.REFUSES,
    cases=(
        WayCase(KEPT, WayAnswer.YES, proves_writes=True, seconds=1.5),
        WayCase(FRESH, WayAnswer.NO, WayKind.REFUSES, "exited 1"),
        WayCase(NONE, WayAnswer.SKIP, reason="no release is known"),
    ),
    tests="t1",
)
FALL = evolve(
    LEAP,
    way=WayName.FALL,
    kind=WayKind.BREAKS,
    cases=(
        WayCase(KEPT, WayAnswer.NO, WayKind.BREAKS, "exited 1", moment=Moment.EARLY, kill=Kill(0.25, 1.5)),
        WayCase(KEPT, WayAnswer.SKIP, moment=Moment.LATE),
    ),
)


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        (LeapFacts(comes_up=True, passes=True), None),
        (LeapFacts(comes_up=False, passes=False, rises_after=True, is_whole_after=True), WayKind.REFUSES),
        (LeapFacts(comes_up=True, passes=False, rises_after=True, is_whole_after=True), WayKind.HIDES),
        (LeapFacts(comes_up=True, passes=False, rises_after=True), WayKind.DAMAGES),
        (LeapFacts(comes_up=False, passes=False), WayKind.BREAKS),
    ],
)
def test_the_kind_of_a_failed_leap_follows_from_what_the_older_release_has_left(
    facts: LeapFacts, kind: WayKind | None
) -> None:
    assert kind_of_leap(facts) is kind


def test_a_fall_is_yes_only_if_the_release_comes_up_whole_at_the_first_start() -> None:
    assert kind_of_fall(comes_up=True, passes=True, starts=1) is None
    assert kind_of_fall(comes_up=True, passes=True, starts=2) is WayKind.TWICE
    assert kind_of_fall(comes_up=False, passes=False, starts=2, is_late=True) is WayKind.TWICE
    assert kind_of_fall(comes_up=True, passes=False, starts=2) is WayKind.DAMAGES
    assert kind_of_fall(comes_up=False, passes=False, starts=2) is WayKind.BREAKS


def test_each_danger_of_a_leap_or_a_fall_is_said_loudly_and_nothing_else_is() -> None:
    for way in (WayName.LEAP, WayName.FALL):
        for kind in GRAVEST_FIRST:
            assert ("DANGER" in kind_words(way, kind)) == is_danger(kind), (way, kind)
    assert is_dangerous(FALL)
    assert not is_dangerous(LEAP)


@given(st.lists(st.sampled_from(WayAnswer)))
def test_one_closed_case_closes_the_way_and_one_error_leaves_no_yes(answers: list[WayAnswer]) -> None:
    answer = answer_of(WayCase(KEPT, each) for each in answers)
    assert (answer is WayAnswer.NO) == (WayAnswer.NO in answers)
    assert answer is not WayAnswer.YES or WayAnswer.ERROR not in answers
    assert (answer is WayAnswer.SKIP) == (set(answers) <= {WayAnswer.SKIP})


def test_the_gravest_case_says_what_is_wrong() -> None:
    cases = [WayCase(KEPT, WayAnswer.NO, kind) for kind in (WayKind.TWICE, WayKind.DAMAGES, WayKind.REFUSES)]
    assert gravest_kind(cases) is WayKind.DAMAGES
    assert gravest_kind(LEAP.cases[:1]) is None


def test_the_moments_of_a_fall_are_one_after_the_other_within_the_start() -> None:
    moments = [moment.of(10.0) for moment in Moment]
    assert moments == sorted(moments)
    assert all(0 < each < 10 for each in moments)


def test_a_text_says_of_each_case_from_what_and_what_failed() -> None:
    assert way_text(LEAP) == (
        "no: from 1.0.0 (generation 3) yes; from 0.9.0 (installed fresh) no: it does not come up, and leaves the data "
        "as it was: exited 1; from >=7 skip: no release is known"
    )
    assert way_text(FALL) == (
        "no: early, over 1.0.0 (generation 3) no: killed after 0.25 s of 1.50 s until it counts as up: "
        "DANGER: it does not come up again: exited 1; late, over 1.0.0 (generation 3) skip"
    )


def test_a_dangerous_case_is_said_before_the_others() -> None:
    cases = (LEAP.cases[0], evolve(LEAP.cases[1], kind=WayKind.DAMAGES))
    assert way_text(evolve(LEAP, cases=cases)).startswith("no: from 0.9.0 (installed fresh) no: DANGER")


@pytest.mark.parametrize("result", [LEAP, FALL])
def test_the_ledger_gives_back_the_cases_that_it_got(result: WayResult) -> None:
    body = json.loads(json.dumps({"by_pass": True, **way_body(result)}))
    assert recorded_way("notes", AT, body) == RecordedWay(result, AT, by_pass=True)
    assert way_sentence(body) == f"{result.way} {way_text(result)}"


def test_a_line_of_a_canon_that_knew_no_cases_is_read_without_any() -> None:
    body = {name: value for name, value in way_body(LEAP).items() if name != "cases"}
    read = recorded_way("notes", AT, body)
    assert read is not None
    assert read.result == evolve(LEAP, cases=())


def test_a_way_with_cases_is_due_anew_when_its_sources_change_or_one_of_them_failed_by_the_host() -> None:
    def due(result: WayResult, *sources: DataSource) -> bool:
        recorded = [RecordedWay(result, AT, by_pass=True)]
        return due_ways([result.way], NEW, None, "t1", recorded, {result.way: sources}) == (result.way,)

    assert not due(LEAP, NONE, FRESH, KEPT)
    assert due(LEAP, FRESH, KEPT)
    assert due(LEAP, NONE, FRESH, KEPT, DataSource("0.8.0", "d" * 40))
    assert due(LEAP, NONE, FRESH, evolve(KEPT, generation=4))
    assert due(evolve(LEAP, cases=(*LEAP.cases[1:], WayCase(KEPT, WayAnswer.ERROR))), NONE, FRESH, KEPT)
    assert not due(FALL, KEPT)
    assert due(FALL, FRESH)
    assert due(FALL)
