"""Ranges of versions in declarations, such as ">=2.0.0,<4"."""

import re
from typing import Final

from desired.declarations.problems import refusal

_CLAUSE: Final = r"\s*(~=|==|!=|<=|>=|<|>)\s*(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*)){0,2}(\.\*)?\s*"
CLAUSES: Final = rf"{_CLAUSE}(,{_CLAUSE})*"
PATTERN: Final = rf"\*|{CLAUSES}"
_PLAIN_LENGTH: Final = 128


def read_range(value: object) -> str:
    """Return `value` if it is a range of versions, or "*". Raise RefusedError for any other value."""
    refused = refusal('a range on x.y.z such as ">=2.0.0,<4", or "*"', value)
    if not isinstance(value, str) or not re.fullmatch(PATTERN, value, re.ASCII):
        raise refused
    if value != "*" and not is_plain_range(value):
        from packaging.specifiers import InvalidSpecifier, SpecifierSet

        try:
            SpecifierSet(value)
        except InvalidSpecifier:
            raise refused from None
    return value


def is_plain_range(text: str) -> bool:
    """Return whether `text` is so simple that the library packaging surely accepts it as a range of versions.

    Return False for long texts, and for texts such as "~=1" and ">=1.*", which the library may refuse. If the result is
    True, the caller need not load the library, which is slow. The caller has checked before that `text` matches
    `PATTERN`.
    """
    return len(text) <= _PLAIN_LENGTH and "~" not in text and "*" not in text
