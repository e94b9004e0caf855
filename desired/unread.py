"""Tags that people would take for versions although they are no release names, such as `1.10`, `v26` or `25.08.0`."""

import re
from collections.abc import Mapping
from typing import Final

from desired.versions import LONGEST, STAGES

Numbers = tuple[int, ...]

# A name before the version, as in `notes-v1.2` or `release/1.2`; or only a word for "version".
_NAME = r"(?P<name>(?:(?!v[0-9])[A-Za-z][A-Za-z0-9]*[_/@-])*)(?:(?:v|ver|version|rel|release)[._-]?)?"
# An abbreviated commit begins with a digit as often as not.
_NO_HASH = r"(?![0-9]*[a-f][0-9a-f]*(?<=[0-9a-f]{7})(?![0-9A-Za-z]))"
_NUMBERS = r"(?P<numbers>[0-9]+(?:\.[0-9]+|[_-][0-9]+(?![0-9A-Za-z]{3}))*)"
_REST = r"(?:[A-Za-z._+-][!-~]*)?"
_LIKE: Final = re.compile(rf"{_NAME}{_NO_HASH}{_NUMBERS}{_REST}", re.ASCII | re.IGNORECASE)


def version_numbers(tag: str) -> Numbers | None:
    """The numbers that people would compare by, (1, 10) of `v1.10-fpm`; None where they would see no version.

    What is no version of the recipe has none either: a nightly build, a commit, a word.
    """
    match = _LIKE.fullmatch(tag[:LONGEST])
    if match is None or not {*re.split(r"[_/@-]", match["name"].lower())}.isdisjoint(STAGES):
        return None
    return tuple(int(number) for number in re.split(r"[._-]", match["numbers"]))


def is_later(numbers: Numbers, than: Numbers) -> bool:
    """Whether these numbers name a later version; those that are not written are 0."""
    return _without_zeros(numbers) > _without_zeros(than)


def in_order(tags: Mapping[str, Numbers]) -> tuple[str, ...]:
    """The tags by their numbers, the latest first, and by text where those are equal."""
    return tuple(sorted(sorted(tags), key=lambda tag: _without_zeros(tags[tag]), reverse=True))


def _without_zeros(numbers: Numbers) -> Numbers:
    """1.5.0 and 1.5 are the same."""
    while numbers and numbers[-1] == 0:
        numbers = numbers[:-1]
    return numbers
