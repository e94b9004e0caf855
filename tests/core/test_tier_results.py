import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from desired.model import TierName
from reconciler.core.tier_results import (
    Skip,
    TierResult,
    Verdict,
    first_failure,
    is_complete,
    is_green,
    level,
    without_unproved_upgrade,
)
from tests.core.attempt_strategies import tier_results
from tests.values import tiers

PASS, FAIL, SKIP, ERROR = Verdict.PASS, Verdict.FAIL, Verdict.SKIP, Verdict.ERROR


@pytest.mark.parametrize(
    ("found", "green", "passed"),
    [
        (tiers(PASS, PASS, PASS, PASS, PASS), True, "5/5"),
        (tiers(PASS, SKIP, PASS, PASS, PASS), True, "4/5"),
        (tiers(PASS, SKIP, SKIP, SKIP, SKIP), True, "1/5"),
        (tiers(SKIP, PASS, PASS, PASS, PASS), False, "4/5"),
        (tiers(SKIP, SKIP, SKIP, SKIP, SKIP), False, "0/5"),
        (tiers(FAIL)[:1], False, "0/5"),
        (tiers(PASS, FAIL)[:2], False, "1/5"),
        (tiers(PASS, ERROR)[:2], False, "1/5"),
        (tiers(PASS, PASS, PASS, PASS, FAIL), False, "4/5"),
        (tiers(PASS, PASS, PASS, PASS)[:4], False, "4/5"),
        (tiers()[:1], False, "1/5"),
        (tiers()[1:], False, "4/5"),
        ((*tiers(), *tiers()[:1]), False, "6/5"),
        ((), False, "0/5"),
    ],
)
def test_green_means_that_install_passed_and_that_nothing_failed_or_was_not_reached(
    found: tuple[TierResult, ...], passed: str, *, green: bool
) -> None:
    assert is_green(found) is green
    assert level(found) == passed


def test_a_failed_tier_is_not_hidden_by_a_later_result_of_its_name() -> None:
    twice = (*tiers(PASS, FAIL)[:2], *tiers()[1:])
    assert not is_green(twice)
    assert first_failure(twice) == twice[1]


@pytest.mark.parametrize(
    ("skip", "complete"),
    [
        (Skip.NO_BASE, True),
        (Skip.BASE_UNUSABLE, True),
        (Skip.BASE_BROKEN, True),
        (Skip.NO_CHECK, True),
        (Skip.DECLARED, True),
        (Skip.NOT_ASKED, False),
    ],
)
def test_a_trial_is_whole_unless_its_asker_left_a_tier_out(skip: Skip, *, complete: bool) -> None:
    found = tiers(PASS, PASS, PASS, PASS, SKIP)
    assert is_complete((*found[:4], evolve(found[4], skip=skip))) is complete


def test_a_trial_that_ended_early_is_not_whole() -> None:
    assert is_complete(tiers())
    assert not is_complete(tiers()[:4])
    assert not is_complete(())


def test_the_first_tier_that_did_not_pass_is_the_failing_one() -> None:
    assert first_failure(tiers()) is None
    assert first_failure(tiers(PASS, SKIP)) is None
    found = tiers(PASS, PASS, ERROR, FAIL)
    assert first_failure(found) == found[2]


@given(tier_results())
def test_green_excludes_any_failure_and_any_gap(found: tuple[TierResult, ...]) -> None:
    if is_green(found):
        assert first_failure(found) is None
        assert {each.name for each in found} == set(TierName)
        assert found[0].verdict is PASS
        assert level(found) != "0/5"


@given(tier_results())
def test_a_skip_is_never_counted_as_a_pass(found: tuple[TierResult, ...]) -> None:
    skipped = tuple(evolve(each, verdict=SKIP, skip=Skip.NO_CHECK) for each in found)
    assert level(skipped) == "0/5"
    assert not is_green(skipped)


def test_a_level_counts_what_applies_and_not_only_what_was_tried() -> None:
    def skipped(name: TierName, skip: Skip) -> TierResult:
        return TierResult(name, Verdict.SKIP, "because", skip=skip)

    passed = TierResult(TierName.INSTALL, Verdict.PASS)
    hollow = [passed, *(skipped(name, Skip.NO_CHECK) for name in list(TierName)[1:])]
    assert level(hollow) == "1/5"
    assert level([passed, skipped(TierName.UPGRADE, Skip.NO_BASE)]) == "1/4"
    assert level([passed, skipped(TierName.UPGRADE, Skip.BASE_UNUSABLE)]) == "1/5"
    assert level([passed, skipped(TierName.UPGRADE, Skip.BASE_BROKEN)]) == "1/5"
    assert (
        level([*hollow[:2], skipped(TierName.BACKUP, Skip.DECLARED), skipped(TierName.RESTORE, Skip.DECLARED)]) == "1/3"
    )
    assert level([TierResult(TierName.INSTALL, Verdict.FAIL)]) == "0/5"


@given(tiers=tier_results(), checks_data=st.booleans())
def test_only_a_passed_upgrade_becomes_a_skip_and_only_without_proof(
    *, tiers: tuple[TierResult, ...], checks_data: bool
) -> None:
    after = without_unproved_upgrade(tiers, checks_data=checks_data)
    changed = [(one, other) for one, other in zip(tiers, after, strict=True) if one != other]
    expected = [] if checks_data else [tier for tier in tiers if (tier.name, tier.verdict) == (TierName.UPGRADE, PASS)]
    assert [one for one, _ in changed] == expected
    assert all((other.verdict, other.skip) == (SKIP, Skip.NO_CHECK) for _, other in changed)
