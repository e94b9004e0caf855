"""Writes times, durations, numbers and commits as text."""

from datetime import UTC, datetime
from typing import Final

_SHORT_COMMIT: Final = 7
_UNITS: Final = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def duration(seconds: float) -> str:
    """Return a duration as text in its two largest units, such as "3 min 20 s".

    A duration below ten seconds has one decimal: "9.5 s". A negative duration becomes "0.0 s".
    """
    if round(seconds, 1) < 10:  # noqa: PLR2004  above ten seconds, tenths do not matter
        return f"{max(seconds, 0.0):.1f} s"
    left, parts = round(seconds), list[str]()
    for size, unit in _UNITS:
        count, left = divmod(left, size)
        if count or parts:
            parts.append(f"{count} {unit}" if count else "")
    return " ".join(part for part in parts[:2] if part)


def age(then: datetime, now: datetime) -> str:
    """Return the time from `then` to `now` as text in its largest unit, such as "3 d".

    Return "0 s" if `then` is later than `now`.
    """
    seconds = max(int((now - then).total_seconds()), 0)
    size, unit = next(((size, unit) for size, unit in _UNITS if seconds >= size), _UNITS[-1])
    return f"{seconds // size} {unit}"


def moment(when: datetime) -> str:
    """Return a point in time as text for people, such as "2026-11-24 10:38:41 UTC"."""
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def rfc3339(when: datetime) -> str:
    """Return a point in time as text for programs, such as "2026-11-24T10:38:41Z"."""
    return f"{when.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def short(commit: str) -> str:
    """Return the first seven characters of the hash of a commit."""
    return commit[:_SHORT_COMMIT]


def count_of(number: int, noun: str) -> str:
    """Return a number with its noun, such as "1 recipe" or "2 recipes". `noun` is the singular."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
