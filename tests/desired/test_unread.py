from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desired.unread import in_order, is_later, version_numbers

VERSIONS = {
    "1.10": (1, 10),
    "25.08.0": (25, 8, 0),
    "v26": (26,),
    "V1.2.3": (1, 2, 3),
    "2026-07a": (2026, 7),
    "2026-07-01": (2026, 7, 1),
    "20191109": (20191109,),
    "1.2.0-rc.1": (1, 2, 0),
    "1.0rc1": (1, 0),
    "1.2.3.4": (1, 2, 3, 4),
    "1.13.4_1": (1, 13, 4, 1),
    "01.2.3": (1, 2, 3),
    "1.14.1-rootless": (1, 14, 1),
    "v2.4.8-d7d63b0d": (2, 4, 8),
    "8.0-92fac7ac": (8, 0),
    "v.1.2": (1, 2),
    "release-1.10": (1, 10),
    "release/1.2": (1, 2),
    "rel_1_10": (1, 10),
    "notes-v1.2": (1, 2),
    "scope/notes@1.2.3": (1, 2, 3),
    "v1.0-beta": (1, 0),
    "1.2.3+": (1, 2, 3),
}
NONE = [
    "",
    "v",
    "latest",
    "master",
    "rootless",
    "deadbee",
    "92fac7ac",
    "1234abc",
    "sha-1a2b3c4",
    "version-r1070",
    "nightly-2026-07-01",
    "beta-3",
    "main2",
    "-1.2.3",
    "--upload-pack=x",
    "$(id)",
    "1.0.0\u202e0.9",
    "1.2.\u0663",
    "1.2 3",
    "1.2\n",
]


@pytest.mark.parametrize("tag", VERSIONS)
def test_text_that_looks_like_a_version_has_its_numbers(tag: str) -> None:
    assert version_numbers(tag) == VERSIONS[tag]


@pytest.mark.parametrize("tag", NONE)
def test_text_that_is_no_version_has_no_version(tag: str) -> None:
    assert version_numbers(tag) is None


def test_the_longest_tags_are_read_by_their_beginning() -> None:
    numbers = version_numbers("9" * 200_000)
    assert numbers is not None
    assert version_numbers("1.2-" + "a" * 200_000) == (1, 2)


@given(st.text(max_size=140))
def test_numbers_are_whole_and_not_negative_for_any_text(text: str) -> None:
    numbers = version_numbers(text)
    assert numbers is None or (numbers and min(numbers) >= 0)


some_numbers = st.lists(st.integers(0, 3), min_size=1, max_size=4).map(tuple)


@given(some_numbers, some_numbers)
def test_one_of_two_versions_is_later_unless_they_differ_only_in_trailing_zeros(
    a: tuple[int, ...], b: tuple[int, ...]
) -> None:
    padded_a, padded_b = (*a, 0, 0, 0, 0)[:4], (*b, 0, 0, 0, 0)[:4]
    assert is_later(a, b) == (padded_a > padded_b)
    assert (not is_later(a, b) and not is_later(b, a)) == (padded_a == padded_b)


@given(st.dictionaries(st.text("abv", min_size=1, max_size=3), some_numbers, max_size=6))
def test_the_latest_trial_is_first_and_none_is_lost(tags: dict[str, tuple[int, ...]]) -> None:
    ordered = in_order(tags)
    assert sorted(ordered) == sorted(tags)
    assert not any(is_later(tags[b], tags[a]) for a, b in pairwise(ordered))
