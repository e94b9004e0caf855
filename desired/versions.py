"""The syntax and the order of release names: `3.0.9+1.10.7` is older than `3.0.10+1.10.8`."""

import re
from functools import lru_cache
from typing import Final

from desired.releases import Version

AppKey = tuple[tuple[int, int], ...]
VersionKey = tuple[int, int, int, AppKey]

LONGEST: Final = 128
"""The greatest length of a release name, in characters. It also limits the size of the numbers in the name."""

_NUMBER = r"(0|[1-9][0-9]*)"
_NAME: Final = re.compile(rf"v?{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:\+([0-9A-Za-z][0-9A-Za-z._-]*))?", re.ASCII)

STAGES: Final = ("nightly", "snapshot", "dev", "alpha", "beta", "pre", "preview", "rc")
"""Words that mark a pre-release of the app, the oldest stage first; "pre" and "preview" mean the same."""

_STAGE = rf"[._-]*(?<![A-Za-z])({'|'.join(STAGES)})(?![A-Za-z])(?:[._-]*([0-9]+))?"
_PIECE: Final = re.compile(rf"{_STAGE}|([0-9]+|[^0-9])", re.ASCII | re.IGNORECASE)

# The end of an app version sorts after a pre-release stage and before everything else.
_END: Final = (0, 0)
_BEFORE_END: Final = -1


# A pass reads the name of each tag several times. The limit holds the tags of some hundred recipes, in a few MiB.
@lru_cache(maxsize=16_384)
def parse_version(text: str) -> Version | None:
    """Return the text and the sort key of a release name; None if `text` is no release name.

    Different names may have the same key, such as v1.0.0 and 1.0.0.
    """
    match = _NAME.fullmatch(text) if len(text) <= LONGEST else None
    if match is None:
        return None
    major, minor, patch, app = match.groups(default="")
    return Version(text, (int(major), int(minor), int(patch), _app_key(app)))


def version_key(text: str) -> VersionKey:
    """Return the key by which the release name `text` is sorted. Raise ValueError if `text` is no release name."""
    version = parse_version(text)
    if version is None:
        raise ValueError(f"not a release name: {text!r}")
    return version.key


def is_release_name(text: str) -> bool:
    return parse_version(text) is not None


def _app_key(app: str) -> AppKey:
    """Return the sort key of an app version, which is the text after "+" in a release name."""
    pieces = [key for match in _PIECE.finditer(app) for key in _piece_key(*match.groups(default=""))]
    return (*pieces, _END)


def _piece_key(stage: str, number: str, piece: str) -> tuple[tuple[int, int], ...]:
    """Return the sort key of one piece of an app version: a pre-release such as "rc1", a number, or one character.

    * `stage`: the word of a pre-release, such as "rc"; "" if the piece is no pre-release.
    * `number`: the number after `stage`; "" if there is none.
    * `piece`: the number or the character; "" if the piece is a pre-release.

    A pre-release is sorted before any other piece, and before the end of an app version. Numbers are compared by value.
    A number is compared with a character as if the number were the character "0".
    """
    if stage:
        rank = STAGES.index(stage.lower().replace("preview", "pre"))
        return ((_BEFORE_END, rank), *(((ord("0"), int(number)),) if number else ()))
    if piece.isdigit():
        return ((ord("0"), int(piece)),)
    return ((ord(piece), 0),)
