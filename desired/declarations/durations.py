"""Reads durations such as "10m"."""

import re
from datetime import timedelta
from typing import Final

from desired.declarations.problems import refusal

PATTERN: Final = r"[1-9][0-9]{0,4}[smhd]"
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def read_duration(value: object) -> timedelta:
    """Return the duration that a text such as 30s, 10m, 2h or 3d means. Raise RefusedError for any other value."""
    if not isinstance(value, str) or not re.fullmatch(PATTERN, value):
        raise refusal('a duration such as "30s", "10m", "2h" or "3d"', value)
    return timedelta(**{_UNITS[value[-1]]: int(value[:-1])})
