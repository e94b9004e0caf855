"""Tags that look like versions to people but are no release names, such as `1.10`, `v26` or `25.08.0`."""

import re
from collections.abc import Mapping
from typing import Final

from desired.versions import LONGEST, STAGES

Numbers = tuple[int, ...]

# A name before the version, as in `notes-v1.2` or `release/1.2`, or just a word for "version".
_NAME = r"(?P<name>(?:(?!v[0-9])[A-Za-z][A-Za-z0-9]*[_/@-])*)(?:(?:v|ver|version|rel|release)[._-]?)?"
# An abbreviated commit may begin with a digit, but it is no version.
_NO_HASH = r"(?![0-9]*[a-f][0-9a-f]*(?<=[0-9a-f]{7})(?![0-9A-Za-z]))"
_NUMBERS = r"(?P<numbers>[0-9]+(?:\.[0-9]+|[_-][0-9]+(?![0-9A-Za-z]{3}))*)"
_REST = r"(?:[A-Za-z._+-][!-~]*)?"
_LIKE: Final = re.compile(rf"{_NAME}{_NO_HASH}{_NUMBERS}{_REST}", re.ASCII | re.IGNORECASE)


def version_numbers(tag: str) -> Numbers | None:
    """Return the numbers of a tag that looks like a version, such as (1, 10) for `v1.10-fpm`.

    Return None for any other tag, such as a nightly build, a commit or a word.
    """
    match = _LIKE.fullmatch(tag[:LONGEST])
    if match is None or not {*re.split(r"[_/@-]", match["name"].lower())}.isdisjoint(STAGES):
        return None
    return tuple(int(number) for number in re.split(r"[._-]", match["numbers"]))


def is_later(numbers: Numbers, than: Numbers) -> bool:
    """Return whether the version `numbers` is later than the version `than`. Missing numbers at the end count as 0."""
    return _without_zeros(numbers) > _without_zeros(than)


def in_order(tags: Mapping[str, Numbers]) -> tuple[str, ...]:
    """Return the tags in `tags`, the latest version first.

    `tags` maps each tag to the numbers in its name: "v26.1" to (26, 1). Tags with the same numbers are sorted as text.
    """
    return tuple(sorted(sorted(tags), key=lambda tag: _without_zeros(tags[tag]), reverse=True))


def _without_zeros(numbers: Numbers) -> Numbers:
    """Return the numbers without zeros at the end, because 1.5.0 and 1.5 are the same version."""
    while numbers and numbers[-1] == 0:
        numbers = numbers[:-1]
    return numbers
