"""What `reconcile doctor` concludes about the clock from the times on record."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.clock_check import check_clock
from reconciler.core.host_checks import CheckResult

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
TIMES = st.none() | st.timedeltas(timedelta(days=-1000), timedelta(days=1000)).map(lambda span: NOW + span)


@given(line=TIMES, promotion=TIMES, synchronised=st.sampled_from([None, False, True]))
def test_a_clock_fails_exactly_if_a_line_or_a_promotion_is_later_than_now(
    line: datetime | None, promotion: datetime | None, *, synchronised: bool | None
) -> None:
    check = check_clock(NOW, line, promotion, synchronised=synchronised)
    later = [time for time in (line, promotion) if time is not None and time > NOW]
    assert (check.result is CheckResult.FAILED) == bool(later)
    assert all(f"is of {time:%Y-%m-%d %H:%M}" in check.found for time in later)


def test_a_clock_warns_where_nothing_sets_it_and_is_not_checked_where_nothing_can_be_compared() -> None:
    assert check_clock(NOW, NOW, NOW, synchronised=False).result is CheckResult.WARNING
    assert check_clock(NOW, None, None, synchronised=True).result is CheckResult.OK
    assert check_clock(NOW, None, None, synchronised=None).result is CheckResult.NOT_CHECKED


def test_an_ok_names_what_it_was_compared_with() -> None:
    line, promotion = "the last line of the ledger", "the latest promotion"
    found = check_clock(NOW, NOW, None, synchronised=None).found
    assert (line in found, promotion in found) == (True, False)
    found = check_clock(NOW, NOW, NOW, synchronised=None).found
    assert (line in found, promotion in found) == (True, True)
