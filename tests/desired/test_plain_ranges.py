"""A range that is accepted without asking packaging is one that packaging accepts."""

import re

from hypothesis import given
from hypothesis.strategies import from_regex
from packaging.specifiers import SpecifierSet

from desired.declarations.values import ALLOW_PATTERN, is_plain_range


@given(from_regex(re.compile(ALLOW_PATTERN, re.ASCII), fullmatch=True).filter(is_plain_range))
def test_packaging_accepts_every_plain_range(allow: str) -> None:
    assert SpecifierSet(allow).contains("1.2.3") in {True, False}


def test_a_range_that_packaging_may_refuse_is_not_plain() -> None:
    assert not any(map(is_plain_range, ("~=1", ">=1.*", ">=" + "9" * 5000)))
