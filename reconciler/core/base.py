"""Decides from which release an upgrade starts, and why."""

from collections.abc import Sequence
from enum import StrEnum

from attrs import evolve, frozen

from desired.model import Release, Upgrade
from desired.versions import VersionKey, is_release_name, version_key
from state.records import Canonical


class Origin(StrEnum):
    """Where the base's data comes from: a recorded snapshot, or a fresh install of the base. NONE: there is no base."""

    CANONICAL = "canonical"
    FRESH = "fresh"
    NONE = "none"


@frozen
class Base:
    """The release from which an upgrade starts; None if there is none. `why` is one sentence.

    `removable`: the pin in the declaration is no longer needed and may be deleted. `generation` is the snapshot that
    the data comes from; None for fresh data.
    """

    release: Release | None
    origin: Origin
    why: str
    removable: bool = False
    generation: int | None = None


def upgrade_base(
    head: Release,
    canonical: Canonical | None,
    newest_intact: Canonical | None,
    releases: Sequence[Release],
    pin: Upgrade,
) -> Base:
    """Return the base for a trial of `head`. `releases` are upstream's, in ascending order. `pin` is the declared base.

    `newest_intact` is the canonical itself, or an older generation if the canonical is damaged.
    """
    have = newest_intact
    free = _unpinned(head, have, canonical, releases)
    if pin.base == "canonical":
        return free
    return _pinned(pin, head, free, have, releases)


def _unpinned(head: Release, have: Canonical | None, recorded: Canonical | None, releases: Sequence[Release]) -> Base:
    if have is not None and _can_upgrade(have, recorded, head, releases):
        release = Release(have.version, have.commit)
        return Base(release, Origin.CANONICAL, _why_this_data(have, recorded), generation=have.generation)
    older = [release for release in releases if _is_older(release, head, releases)]
    if not older:
        return Base(None, Origin.NONE, "no older release")
    if have is not None and have == recorded:
        why = f"the newest release older than {head.version}, installed fresh: the canonical is not older"
    elif recorded is not None:
        why = "the newest older release, installed fresh: the canonical is damaged"
    else:
        why = "the newest older release, installed fresh: no canonical yet"
    return Base(older[-1], Origin.FRESH, why)


def _can_upgrade(have: Canonical, recorded: Canonical | None, head: Release, releases: Sequence[Release]) -> bool:
    """Whether an upgrade to the head can start from the data of `have`: its release is older than the head.

    If the recorded canonical is damaged, `have` may also be of the head's own release.
    """
    again = have != recorded and have.commit == head.commit and _rank(head, releases) == version_key(have.version)
    return again or _is_older_than_head(have, head, releases)


def _why_this_data(have: Canonical, recorded: Canonical | None) -> str:
    if have == recorded:
        return "the canonical, with its data"
    return f"generation {have.generation}, the newest intact one, with its data: the canonical is damaged"


def _is_older_than_head(have: Canonical, head: Release, releases: Sequence[Release]) -> bool:
    """Whether the canonical is older than the head, or has its version but another commit: a tag that was moved."""
    rank, own = _rank(head, releases), version_key(have.version)
    if rank is None or own == rank:
        return have.commit != head.commit
    return own < rank


def _is_older(release: Release, head: Release, releases: Sequence[Release]) -> bool:
    rank = _rank(head, releases)
    return release.commit != head.commit and (rank is None or version_key(release.version) < rank)


def _rank(head: Release, releases: Sequence[Release]) -> VersionKey | None:
    """Return the version key of the head; None for a branch or commit without a release, which counts as newest."""
    if is_release_name(head.version):
        return version_key(head.version)
    return next((version_key(release.version) for release in releases if release.commit == head.commit), None)


def _pinned(pin: Upgrade, head: Release, free: Base, have: Canonical | None, releases: Sequence[Release]) -> Base:
    without = free.release.version if free.release else "none"
    why = f"pinned to {pin.base} ({pin.reason}); without the pin: {without}"
    removable = have is not None and version_key(have.version) >= version_key(pin.base)
    if have is not None and have.version == pin.base and free.origin is Origin.CANONICAL:
        return evolve(free, why=why, removable=removable)
    release = next((release for release in releases if release.version == pin.base), None)
    if release is None or not _is_older(release, head, releases):
        flaw = "is no release upstream" if release is None else f"is not older than {head.version}"
        why = f"pinned to {pin.base}, which {flaw}; without the pin: {without}"
        return Base(None, Origin.NONE, why, removable)
    return Base(release, Origin.FRESH, why, removable)
