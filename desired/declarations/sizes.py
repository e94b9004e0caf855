"""Reads sizes such as "40GiB"."""

import re
from typing import Final

from desired.declarations.problems import refusal

PATTERN: Final = r"[1-9][0-9]{0,5}(?:MiB|GiB|TiB)"
_UNITS: Final = {"MiB": 1024**2, "GiB": 1024**3, "TiB": 1024**4}


def read_size(value: object) -> int:
    """Return how many bytes a text such as 500MiB, 40GiB or 1TiB means.

    Raise RefusedError for any other value.
    """
    if not isinstance(value, str) or not re.fullmatch(PATTERN, value):
        raise refusal('a size such as "500MiB", "40GiB" or "1TiB"', value)
    return int(value[:-3]) * _UNITS[value[-3:]]
