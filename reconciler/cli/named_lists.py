"""Reads the lists of names that the options --tiers and --ways take, with commas between."""

from enum import StrEnum
from typing import TypeVar

from desired.model import TierName, WayName
from reconciler.errors import UsageError

Name = TypeVar("Name", bound=StrEnum)


def read_ways(text: str | None) -> tuple[WayName, ...]:
    """Return the ways in the list `text`, each once and in the order of WayName; () if `text` is None.

    Raise UsageError for an unknown name.
    """
    return _read(text, WayName, "way") if text is not None else ()


def read_tiers(text: str | None) -> frozenset[TierName]:
    """Return the tiers in the list `text`; install is always among them. Return all tiers if `text` is None.

    Raise UsageError for an unknown name.
    """
    return frozenset({TierName.INSTALL, *_read(text, TierName, "tier")}) if text is not None else frozenset(TierName)


def _read(text: str, known: type[Name], kind: str) -> tuple[Name, ...]:
    """Return the members of `known` that `text` names, in the order in which `known` defines them.

    Raise UsageError for an unknown name. `kind` is the word for what a name stands for, such as "tier".
    """
    names = [name.strip() for name in text.split(",")]
    unknown = [name for name in names if name not in set(known)]
    if unknown:
        raise UsageError(f"no {kind} {unknown[0]}", f"there are: {', '.join(known)}")
    return tuple(each for each in known if each in names)
