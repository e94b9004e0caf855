"""When a way of a canonical counts as closed: it was open before, and is not now."""

from datetime import UTC, datetime

import pytest
from attrs import evolve

from desired.model import WayName
from desired.releases import Release
from reconciler.core.closed_ways import closed_way
from reconciler.core.way_cases import DataSource, Moment, WayCase, answer_of
from reconciler.core.way_kinds import WayAnswer, WayKind
from reconciler.core.ways import RecordedWay, WayResult
from tests.values import commit

YES, NO, SKIP, ERROR = WayAnswer
AT = datetime(2026, 11, 29, tzinfo=UTC)
OLDEST, OLD, NEW, NEWEST = (Release(f"{at}.0.0", commit(str(at))) for at in range(1, 5))
OPEN = WayResult("notes", WayName.BACK, YES, OLD, OLDEST)
CLOSED = evolve(OPEN, answer=NO, kind=WayKind.REFUSES, release=NEW, base=OLD)
STOP = evolve(OPEN, way=WayName.STOP, base=None)


def of_new(
    *results: WayResult, way: WayName = WayName.BACK, by_hand: int | None = None
) -> tuple[WayResult, WayResult] | None:
    """Return how the way of NEW has closed. A person tried the result with the number `by_hand`, passes the others."""
    recorded = [RecordedWay(each, AT, by_pass=at != by_hand) for at, each in enumerate(results)]
    return closed_way(recorded, NEW.version, NEW.commit, way)


def over(release: Release, answers: dict[Release, WayAnswer], way: WayName = WayName.LEAP) -> WayResult:
    """Return the result of a leap or a fall of `release` over the data of these releases."""
    moment = Moment.EARLY if way is WayName.FALL else None
    cases = tuple(WayCase(DataSource(each.version, each.commit), told, moment=moment) for each, told in answers.items())
    return WayResult("notes", way, answer_of(cases), release, cases=cases)


def test_a_way_back_has_closed_if_it_is_no_now_and_the_answer_before_was_yes() -> None:
    assert of_new(OPEN, CLOSED) == (OPEN, CLOSED)
    assert of_new(OPEN, evolve(OPEN, answer=ERROR), evolve(OPEN, answer=SKIP), CLOSED) == (OPEN, CLOSED)
    for no_answer in (ERROR, SKIP):
        assert of_new(OPEN, CLOSED, evolve(CLOSED, answer=no_answer, kind=None)) == (OPEN, CLOSED)
    for results in ((), (OPEN,), (CLOSED,), (CLOSED, CLOSED), (OPEN, evolve(OPEN, release=NEW)), (STOP, CLOSED)):
        assert of_new(*results) is None
    assert of_new(OPEN, evolve(OPEN, answer=NO), CLOSED) is None


def test_a_way_back_of_the_same_release_has_closed_only_if_it_led_to_the_same_older_one() -> None:
    before = evolve(CLOSED, answer=YES, kind=None)
    assert of_new(before, CLOSED) == (before, CLOSED)
    assert of_new(evolve(before, base=OLDEST), CLOSED) is None


@pytest.mark.parametrize("newer", [evolve(OPEN, release=NEWEST, base=NEW), over(NEWEST, {OLD: YES, NEW: YES})])
def test_what_a_newer_release_could_do_never_closed(newer: WayResult) -> None:
    present = CLOSED if newer.way is WayName.BACK else over(NEW, {OLD: NO})
    assert of_new(newer, present, way=newer.way) is None


def test_what_only_a_person_tried_never_closed() -> None:
    assert of_new(OPEN, CLOSED, by_hand=0) is None
    assert of_new(OPEN, CLOSED, by_hand=1) is None


@pytest.mark.parametrize("way", [WayName.LEAP, WayName.FALL])
def test_a_leap_or_a_fall_has_closed_only_where_it_was_open_before(way: WayName) -> None:
    before, of_old = over(NEW, {OLD: YES}, way), over(OLD, {OLDEST: YES}, way)
    only_more = over(NEW, {OLD: YES, OLDEST: NO}, way)
    assert of_new(before, only_more, way=way) is None
    assert of_new(of_old, before, only_more, way=way) == (of_old, only_more)
    assert of_new(before, over(NEW, {OLD: NO}, way), way=way) == (before, over(NEW, {OLD: NO}, way))
    assert of_new(of_old, over(NEW, {OLD: NO}, way), way=way) == (of_old, over(NEW, {OLD: NO}, way))
    assert of_new(over(OLD, {}, way), only_more, way=way) is None
    unknown = over(NEW, {OLD: YES, OLDEST: SKIP}, way)
    assert of_new(unknown, only_more, way=way) is None
