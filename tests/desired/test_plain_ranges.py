"""A range that is accepted without asking packaging is one that packaging accepts."""

import re

from hypothesis import given
from hypothesis.strategies import from_regex, lists
from packaging.specifiers import SpecifierSet

from desired.declarations.version_ranges import PATTERN, is_plain_range

CLAUSES = from_regex(r"\s?(==|!=|<=|>=|<|>)\s?(0|[1-9][0-9]{0,9})(\.(0|[1-9][0-9]{0,5})){0,2}\s?", fullmatch=True)


@given(lists(CLAUSES, min_size=1, max_size=4).map(",".join))
def test_packaging_accepts_every_plain_range(allow: str) -> None:
    assert re.fullmatch(PATTERN, allow)
    assert is_plain_range(allow)
    SpecifierSet(allow)  # raises nothing


def test_a_range_that_packaging_may_refuse_is_not_plain() -> None:
    assert not any(map(is_plain_range, ("~=1", ">=1.*", ">=" + "9" * 5000)))
