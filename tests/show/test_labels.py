from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.findings import Cause, MirrorState
from reconciler.core.gate import ConditionStatus
from reconciler.core.observation import State
from reconciler.core.outcome import Result
from reconciler.core.plan import Action, HeldBack
from reconciler.core.report import ReportBucket
from reconciler.core.tier_results import Skip, Verdict
from reconciler.show import labels as words
from reconciler.show.quantities import age, count_of, duration, moment, rfc3339, short

MEANINGS: list[tuple[type[StrEnum], Mapping[Any, str]]] = [
    (Cause, words.CAUSES),
    (State, words.STATES),
    (MirrorState, words.MIRRORS),
    (HeldBack, words.HOLDS),
    (Result, words.RESULTS),
    (Verdict, words.VERDICTS),
    (Skip, words.SKIPS),
    (ConditionStatus, words.CONDITION_STATUSES),
    (ReportBucket, words.BUCKETS),
]

THEN = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


@pytest.mark.parametrize(("kind", "meanings"), MEANINGS, ids=[kind.__name__ for kind, _ in MEANINGS])
def test_every_member_has_a_label_of_its_own(kind: type[StrEnum], meanings: Mapping[Any, str]) -> None:
    assert set(meanings) == set(kind)
    assert all(meanings.values())
    assert len(set(meanings.values())) == len(kind)


def test_every_action_is_printed_as_a_word_with_a_meaning_of_its_own() -> None:
    assert set(words.ACTION_WORDS) == set(Action)
    assert set(words.ACTION_WORDS.values()) == set(words.ACTIONS) == {"none", "promote", "repair"}
    assert all(words.ACTIONS.values())
    assert len(set(words.ACTIONS.values())) == len(words.ACTIONS)
    assert [each for each, word in words.ACTION_WORDS.items() if word == "repair"] == [
        Action.RETEST,
        Action.REFETCH,
        Action.REDEPLOY,
    ]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0.0 s"),
        (-1, "0.0 s"),
        (0.44, "0.4 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (200, "3 min 20 s"),
        (3600, "1 h"),
        (3605, "1 h"),
        (7500, "2 h 5 min"),
        (86400 * 3 + 4 * 3600, "3 d 4 h"),
    ],
)
def test_a_duration_is_shown_in_its_two_largest_units(seconds: float, said: str) -> None:
    assert duration(seconds) == said


@given(st.floats(0, 1e9))
def test_a_duration_never_has_more_than_two_units(seconds: float) -> None:
    assert 1 <= len(duration(seconds).split()) // 2 <= 2


@pytest.mark.parametrize(
    ("past", "said"),
    [
        (timedelta(seconds=-5), "0 s"),
        (timedelta(seconds=59), "59 s"),
        (timedelta(seconds=61), "1 min"),
        (timedelta(hours=25), "1 d"),
        (timedelta(days=400), "400 d"),
    ],
)
def test_an_age_is_shown_in_its_largest_unit(past: timedelta, said: str) -> None:
    assert age(THEN - past, THEN) == said


def test_times_are_shown_in_utc() -> None:
    noon = datetime(2026, 3, 2, 5, 30, 1, 999_999, tzinfo=timezone(timedelta(hours=2)))
    assert moment(noon) == "2026-03-02 03:30:01 UTC"
    assert rfc3339(noon) == "2026-03-02T03:30:01Z"


def test_commits_are_shortened_and_nouns_counted() -> None:
    assert short("0123456789abcdef") == "0123456"
    assert [count_of(number, "recipe") for number in (0, 1, 2)] == ["0 recipes", "1 recipe", "2 recipes"]
