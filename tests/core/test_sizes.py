"""Sizes as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.sizes import size


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1_300_000, "1.2 MiB"),
        (1024**2 - 1, "1.0 MiB"),
        (40 * 1024**3, "40.0 GiB"),
        (1024**6, "1024.0 PiB"),
    ],
)
def test_a_size_is_shown_in_the_unit_that_fits(count: int, said: str) -> None:
    assert size(count) == said


@given(st.integers(0, 2**60))
def test_a_size_that_is_shown_is_the_size_but_for_its_rounding(count: int) -> None:
    number, unit = size(count).split()
    step = 1024 ** ["B", "KiB", "MiB", "GiB", "TiB", "PiB"].index(unit)
    assert abs(float(number) * step - count) <= 0.051 * step
