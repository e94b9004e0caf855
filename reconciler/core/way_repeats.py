"""Decides which result counts if a way, or one of its cases, was tried twice."""

from typing import Final, TypeVar

from attrs import evolve

from reconciler.core.way_cases import WayCase
from reconciler.core.way_kinds import WayKind
from reconciler.core.ways import WayResult

Tried = TypeVar("Tried", WayCase, WayResult)

_SEEN: Final = (WayKind.TWICE, WayKind.DAMAGES, WayKind.UNCLEAN, WayKind.NO_RESTART, WayKind.BREAKS)
"""The kinds that no delay explains, the gravest last: each dangerous one, and that a first start failed."""


def result_of_both(first: Tried, second: Tried) -> Tried:
    """Return which of two results counts. `second` is of a new try, made because something took too long in the first.

    * If the kind of `first` is graver, return `first`, because data that was lost once may be lost again. Add the
      answer of `second` to the reason of `first`.
    * Else return `second`.
    """
    if _rank(first.kind) <= _rank(second.kind):
        return second
    again = f"tried once more, since something took too long: {second.answer}"
    return evolve(first, reason="; ".join(filter(None, (first.reason, again))))


def _rank(kind: WayKind | None) -> int:
    return _SEEN.index(kind) + 1 if kind in _SEEN else 0
