"""Which recorded results of the ways of a release still count, after later ones."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from desired.model import WayName
from desired.releases import Release
from reconciler.core.known_ways import answers_of_passes, ways_of
from reconciler.core.way_cases import DataSource, Moment, WayCase, answer_of, gravest_kind
from reconciler.core.way_kinds import WayAnswer, WayKind
from reconciler.core.ways import RecordedWay, WayResult, is_dangerous

YES, NO, SKIP, ERROR = WayAnswer
AT = datetime(2026, 11, 29, tzinfo=UTC)
OLDEST, OLD, NEW = (Release(name, letter * 40) for name, letter in (("0.9.0", "c"), ("1.0.0", "a"), ("1.1.0", "b")))
OPEN = WayResult("notes", WayName.BACK, YES, NEW, OLD)
DAMAGES = evolve(OPEN, answer=NO, kind=WayKind.DAMAGES)
SKIPPED, FAILED = evolve(OPEN, answer=SKIP), evolve(OPEN, answer=ERROR)
STOP = evolve(OPEN, way=WayName.STOP, base=None)
EARLY, MIDDLE, LATE = Moment


def recorded(*results: WayResult, by_hand: Sequence[int] = ()) -> tuple[RecordedWay, ...]:
    """Return the results, each an hour after the one before. A person tried those with the numbers in `by_hand`."""
    return tuple(
        RecordedWay(each, AT + timedelta(hours=number), number not in by_hand) for number, each in enumerate(results)
    )


def known(*results: WayResult, by_hand: Sequence[int] = ()) -> list[WayResult]:
    return [each.result for each in ways_of(recorded(*results, by_hand=by_hand), NEW.version, NEW.commit)]


def case(answer: WayAnswer, moment: Moment | None, of: Release = OLD, generation: int | None = 1) -> WayCase:
    kind = WayKind.DAMAGES if answer is NO else None
    return WayCase(DataSource(of.version, of.commit, generation), answer, kind, moment=moment)


def over(*cases: WayCase) -> WayResult:
    """Return the result of a fall of NEW with these cases, or of a leap if they have no moment."""
    way = WayName.FALL if any(each.moment for each in cases) else WayName.LEAP
    return WayResult("notes", way, answer_of(cases), NEW, kind=gravest_kind(cases), cases=cases)


def fall(early: WayAnswer, middle: WayAnswer, late: WayAnswer) -> WayResult:
    return over(case(early, EARLY), case(middle, MIDDLE), case(late, LATE))


def test_the_newest_answer_of_each_way_of_the_release_is_known() -> None:
    assert known(OPEN, evolve(OPEN, release=OLD), STOP, DAMAGES) == [DAMAGES, STOP]
    assert known(DAMAGES, OPEN) == [OPEN]
    assert known() == []


def test_what_is_no_answer_is_shown_after_the_answer_and_replaces_none() -> None:
    assert known(DAMAGES, SKIPPED) == [DAMAGES, SKIPPED]
    assert known(FAILED, DAMAGES, FAILED, STOP) == [DAMAGES, FAILED, STOP]
    assert known(OPEN, SKIPPED, FAILED) == [OPEN, FAILED]
    assert known(FAILED, FAILED) == [FAILED]
    assert known(DAMAGES, SKIPPED, OPEN) == [OPEN]


def test_a_try_by_hand_replaces_no_answer_of_a_pass_and_a_later_pass_replaces_it() -> None:
    assert known(DAMAGES, OPEN, by_hand=[1]) == [DAMAGES, OPEN]
    assert known(DAMAGES, FAILED, OPEN, by_hand=[2]) == [DAMAGES, FAILED, OPEN]
    assert known(DAMAGES, OPEN, by_hand=[0]) == [OPEN]
    assert known(DAMAGES, OPEN, by_hand=[0, 1]) == [OPEN]
    assert known(OPEN, DAMAGES, OPEN, by_hand=[1]) == [OPEN]


def test_the_way_back_to_one_older_release_says_nothing_of_the_way_back_to_another() -> None:
    elsewhere = evolve(OPEN, base=OLDEST)
    assert known(DAMAGES, elsewhere) == [DAMAGES, elsewhere]
    assert known(DAMAGES, elsewhere, OPEN) == [elsewhere, OPEN]


def test_a_moment_that_was_not_tried_again_keeps_its_danger_and_one_that_was_loses_it() -> None:
    both, later = fall(NO, NO, YES), fall(YES, SKIP, YES)
    assert known(both, later) == [over(case(NO, MIDDLE)), later]
    assert known(both, fall(YES, YES, YES)) == [fall(YES, YES, YES)]
    assert known(both, fall(SKIP, SKIP, SKIP)) == [both, fall(SKIP, SKIP, SKIP)]
    assert known(fall(NO, YES, ERROR), fall(SKIP, NO, NO)) == [over(case(NO, EARLY)), fall(SKIP, NO, NO)]


def test_a_leap_over_data_that_is_no_longer_there_keeps_its_danger() -> None:
    later = over(case(YES, None))
    assert known(over(case(NO, None, OLDEST), case(NO, None)), later) == [over(case(NO, None, OLDEST)), later]


def test_the_data_of_a_release_is_safe_only_if_that_of_none_of_its_generations_was_left_out() -> None:
    damages = over(case(NO, None, generation=1))
    partly = over(case(SKIP, None, generation=1), case(YES, None, generation=3))
    assert known(damages, partly) == [damages, partly]
    assert known(damages, over(case(YES, None, generation=3))) == [over(case(YES, None, generation=3))]


def test_the_gate_is_judged_by_whole_answers_of_passes_and_by_no_answer_only_if_there_is_no_other() -> None:
    tried = recorded(OPEN, DAMAGES, SKIPPED, OPEN, evolve(STOP, answer=ERROR), by_hand=[3])
    assert answers_of_passes(tried, NEW.version, NEW.commit) == (DAMAGES, evolve(STOP, answer=ERROR))
    assert answers_of_passes(recorded(fall(NO, YES, YES), fall(YES, SKIP, YES)), NEW.version, NEW.commit) == (
        fall(YES, SKIP, YES),
    )


# ---- whatever was tried before ----

ANSWERS = st.sampled_from(WayAnswer)
RESULTS = st.one_of(
    st.sampled_from([OPEN, DAMAGES, SKIPPED, FAILED, evolve(OPEN, base=OLDEST), evolve(DAMAGES, base=OLDEST)]),
    st.builds(fall, ANSWERS, ANSWERS, ANSWERS),
)
TRIED = st.lists(st.builds(RecordedWay, RESULTS, st.just(AT), st.booleans()), max_size=8)


def answer_in(result: WayResult, question: Release | Moment) -> WayAnswer | None:
    """Return what `result` says of a way back to a release, or of a moment of a fall; None if it is of another."""
    if not result.cases:
        return result.answer if result.base == question else None
    return {each.moment: each.answer for each in result.cases}.get(question if isinstance(question, Moment) else None)


QUESTIONS: tuple[Release | Moment, ...] = (OLD, OLDEST, *Moment)


@given(TRIED)
def test_a_danger_is_known_exactly_as_long_as_no_later_answer_that_counts_is_another(tried: list[RecordedWay]) -> None:
    shown = [each.result for each in ways_of(tried, NEW.version, NEW.commit)]
    for question in QUESTIONS:
        said = [(answer_in(each.result, question), each.by_pass) for each in tried]
        answers = [(answer, by_pass) for answer, by_pass in said if answer in {YES, NO}]
        of_passes = [at for at, (_, by_pass) in enumerate(answers) if by_pass]
        counting = answers[of_passes[-1]] if of_passes else None
        by_hand = answers[-1] if answers else None
        expected = NO in {each[0] for each in (counting, by_hand) if each is not None}
        assert (NO in {answer_in(each, question) for each in shown}) == expected, question
    assert any(map(is_dangerous, shown)) == any(NO in {answer_in(each, one) for one in QUESTIONS} for each in shown)


@given(TRIED)
def test_whatever_is_shown_was_recorded_and_the_last_try_of_each_way_is_among_it(tried: list[RecordedWay]) -> None:
    shown = ways_of(tried, NEW.version, NEW.commit)
    for each in shown:
        same = [one for one in tried if (one.result.way, one.result.base) == (each.result.way, each.result.base)]
        assert any(set(each.result.cases) <= set(one.result.cases) and one.by_pass is each.by_pass for one in same)
    for way in (WayName.BACK, WayName.FALL):
        of_way = [each for each in tried if each.result.way is way]
        assert of_way[-1:] == [each for each in shown if each.result.way is way][-1:]
