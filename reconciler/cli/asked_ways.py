"""Reads the list of ways that `--ways` names."""

from desired.model import WayName
from reconciler.errors import UsageError


def read_ways(text: str | None) -> tuple[WayName, ...]:
    """Return the ways that the comma-separated list `text` names, each once and in the order of WayName.

    Return none if `text` is None. Raise UsageError for an unknown name.
    """
    names = [name.strip() for name in text.split(",")] if text is not None else []
    unknown = [name for name in names if name not in set(WayName)]
    if unknown:
        raise UsageError(f"no way {unknown[0]}", f"there are: {', '.join(WayName)}")
    return tuple(way for way in WayName if way in names)
