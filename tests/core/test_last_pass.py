"""When the last whole pass is stale, and which entries of the ledger are about a whole pass."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.last_pass import LastWholePass, code_with_last_pass, is_whole_pass
from state.records import LedgerEntry
from tests.values import NOW

SPANS = st.timedeltas(timedelta(), timedelta(days=1000))
WHOLE = {"exit_code": 4, "selected": None, "signal": None}


@pytest.mark.parametrize(
    ("body", "is_whole"),
    [
        (WHOLE, True),
        ({**WHOLE, "exit_code": 5}, False),
        ({**WHOLE, "selected": ["notes"]}, False),
        ({**WHOLE, "signal": 15}, False),
        ({"exit_code": 0}, False),
    ],
)
def test_a_pass_is_whole_unless_it_was_partial_or_interrupted_or_hollow(
    body: dict[str, object], *, is_whole: bool
) -> None:
    assert is_whole_pass(LedgerEntry(NOW, "pass-end", "", body)) is is_whole


@given(SPANS, SPANS)
def test_a_pass_is_stale_exactly_if_it_is_older_than_declared(age: timedelta, limit: timedelta) -> None:
    last = LastWholePass(NOW - age, limit, NOW)
    assert last.age == age
    assert last.is_stale is (age > limit)
    assert not LastWholePass(NOW - age, None, NOW).is_stale


@given(SPANS.filter(bool), SPANS)
def test_a_pass_that_ended_in_the_future_is_stale_wherever_a_limit_is_declared(
    ahead: timedelta, limit: timedelta
) -> None:
    last = LastWholePass(NOW + ahead, limit, NOW)
    assert (last.age, last.is_ahead, last.is_stale) == (-ahead, True, True)
    undeclared = LastWholePass(NOW + ahead, None, NOW)
    assert (undeclared.is_ahead, undeclared.is_stale) == (True, False)


@pytest.mark.parametrize(("limit", "stale"), [(timedelta(days=15), True), (None, False)])
def test_without_a_recorded_pass_it_is_stale_only_if_a_limit_is_declared(
    limit: timedelta | None, *, stale: bool
) -> None:
    last = LastWholePass(None, limit, NOW)
    assert (last.age, last.is_stale) == (None, stale)


@pytest.mark.parametrize(("code", "expected"), [(0, 1), (1, 1), (2, 1), (3, 1), (4, 1), (5, 5)])
def test_a_stale_pass_makes_every_exit_code_1_except_that_of_a_hollow_run(code: int, expected: int) -> None:
    assert code_with_last_pass(code, LastWholePass(None, timedelta(days=1), NOW)) == expected
    assert code_with_last_pass(code, LastWholePass(None, None, NOW)) == code
