"""From which version an upgrade starts, and why."""

from collections.abc import Sequence
from enum import StrEnum

from attrs import evolve, frozen

from desired.model import Release, Upgrade
from desired.versions import is_release_name, version_key
from state.model import Canonical


class Origin(StrEnum):
    """Where the base's data comes from."""

    CANONICAL = "canonical"
    FRESH = "fresh"
    NONE = "none"


@frozen
class Base:
    """The release an upgrade starts from; None when there is none. `why` is one sentence.

    `removable` tells that a pin has done its work and may be deleted.
    """

    release: Release | None
    origin: Origin
    why: str
    removable: bool = False


def upgrade_base(
    head: Release, canonical: Canonical | None, *, intact: bool, releases: Sequence[Release], pin: Upgrade
) -> Base:
    """The base for a trial of `head`; `releases` are upstream's in ascending order."""
    have = canonical if intact else None
    free = _unpinned(head, have, canonical, releases)
    if pin.base == "canonical":
        return free
    return _pinned(pin, free, have, releases)


def _unpinned(head: Release, have: Canonical | None, recorded: Canonical | None, releases: Sequence[Release]) -> Base:
    if have is not None and _comes_before(have, head):
        return Base(Release(have.version, have.commit), Origin.CANONICAL, "the canonical, with its data")
    older = [release for release in releases if _is_older(release, head)]
    if not older:
        return Base(None, Origin.NONE, "no older release")
    if have is not None:
        why = f"the newest release older than {head.version}, installed fresh: the canonical is not older"
    elif recorded is not None:
        why = "the newest older release, installed fresh: the canonical is damaged"
    else:
        why = "the newest older release, installed fresh: no canonical yet"
    return Base(older[-1], Origin.FRESH, why)


def _comes_before(have: Canonical, head: Release) -> bool:
    if have.commit == head.commit:
        return False
    if not is_release_name(head.version):
        return True  # a branch or a commit is tested as what comes after the canonical
    return version_key(have.version) <= version_key(head.version)


def _is_older(release: Release, head: Release) -> bool:
    if not is_release_name(head.version):
        return release.commit != head.commit
    return version_key(release.version) < version_key(head.version)


def _pinned(pin: Upgrade, free: Base, have: Canonical | None, releases: Sequence[Release]) -> Base:
    without = free.release.version if free.release else "none"
    why = f"pinned to {pin.base} ({pin.reason}); without the pin: {without}"
    removable = have is not None and version_key(have.version) >= version_key(pin.base)
    if have is not None and have.version == pin.base and free.origin is Origin.CANONICAL:
        return evolve(free, why=why, removable=removable)
    release = next((release for release in releases if release.version == pin.base), None)
    if release is None:
        return Base(
            None, Origin.NONE, f"pinned to {pin.base}, which is no release upstream; without the pin: {without}"
        )
    return Base(release, Origin.FRESH, why, removable)
