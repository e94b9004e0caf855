"""Which result of a way counts if something took too long, so that it was tried twice."""

from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.way_cases import DataSource, WayCase
from reconciler.core.way_kinds import WayAnswer, WayKind, is_danger
from reconciler.core.way_repeats import result_of_both

KEPT = DataSource("1.0.0", "a" * 40, 3)
ANSWERS = st.sampled_from([each for each in WayAnswer if each is not WayAnswer.NO])
CASES = st.one_of(
    st.builds(WayCase, st.just(KEPT), ANSWERS, reason=st.text()),
    st.builds(WayCase, st.just(KEPT), st.just(WayAnswer.NO), st.sampled_from(WayKind), st.text()),
)


@given(CASES, CASES)
def test_a_danger_that_was_seen_once_is_never_forgotten(first: WayCase, second: WayCase) -> None:
    counts = result_of_both(first, second)
    assert is_danger(counts.kind) == (is_danger(first.kind) or is_danger(second.kind))
    assert first.kind is not WayKind.TWICE or counts.answer is WayAnswer.NO


@given(CASES, CASES)
def test_the_second_result_counts_unless_the_first_says_more(first: WayCase, second: WayCase) -> None:
    counts = result_of_both(first, second)
    assert counts is second or (counts.kind is first.kind and first.kind is not second.kind)
    assert counts is second or f"tried once more, since something took too long: {second.answer}" in counts.reason
    if not is_danger(first.kind) and first.kind is not WayKind.TWICE:
        assert counts is second


def test_the_graver_of_two_dangers_counts() -> None:
    damages, breaks = (WayCase(KEPT, WayAnswer.NO, kind) for kind in (WayKind.DAMAGES, WayKind.BREAKS))
    assert result_of_both(damages, breaks).kind is result_of_both(breaks, damages).kind is WayKind.BREAKS
