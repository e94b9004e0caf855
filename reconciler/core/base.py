"""Decides from which release an upgrade starts, and why."""

from collections.abc import Sequence
from enum import StrEnum

from attrs import evolve, frozen

from desired.model import Release, Upgrade
from desired.versions import VersionKey, is_release_name, version_key
from state.records import Canonical


class Origin(StrEnum):
    """Where the data of an upgrade's base comes from. CANONICAL: a recorded snapshot. FRESH: a fresh install.

    NONE: there is no base.
    """

    CANONICAL = "canonical"
    FRESH = "fresh"
    NONE = "none"


@frozen
class Base:
    """The release from which an upgrade starts, None if there is none; `why` is the reason in one sentence.

    `removable`: the pin in the declaration is no longer needed and may be deleted. `generation` is the generation whose
    snapshot has the data; None for fresh data.
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
    """Return the base for a trial of `head`, the release under test.

    `canonical` is the recorded one, None if there is none. `newest_intact` is the canonical itself, or an older
    generation if the canonical is damaged; None if there is neither. `releases` are upstream's, in ascending order.
    `pin` is what the declaration says: `pin.base` is "canonical" if it pins no release.
    """
    unpinned = _unpinned(head, newest_intact, canonical, releases)
    if pin.base == "canonical":
        return unpinned
    return _pinned(pin, head, unpinned, newest_intact, releases)


def _unpinned(head: Release, have: Canonical | None, recorded: Canonical | None, releases: Sequence[Release]) -> Base:
    """Return the base if the declaration pins none.

    `recorded` is the canonical, and `have` the newest intact generation. The base is the release of `have` with its
    data. If that cannot be upgraded to the head, it is the newest release before the head, installed fresh. If there is
    none, the base has no release.
    """
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
    """Whether an upgrade to the head can start from the data of the generation `have`.

    It can if the release of `have` is older than the head. It also can if `have` is of the head's own release, and the
    newer canonical `recorded` is damaged.
    """
    is_retest = have != recorded and have.commit == head.commit and _rank(head, releases) == version_key(have.version)
    return is_retest or _is_older_than_head(have, head, releases)


def _why_this_data(have: Canonical, recorded: Canonical | None) -> str:
    """Return why an upgrade starts from the data of the generation `have`.

    `recorded` is the recipe's canonical, None if it has none.
    """
    if have == recorded:
        return "the canonical, with its data"
    return f"generation {have.generation}, the newest intact one, with its data: the canonical is damaged"


def _is_older_than_head(have: Canonical, head: Release, releases: Sequence[Release]) -> bool:
    """Whether the generation `have` is older than the head, or has the head's version on another commit.

    The second happens if the tag was moved.
    """
    rank, own = _rank(head, releases), version_key(have.version)
    if rank is None or own == rank:
        return have.commit != head.commit
    return own < rank


def _is_older(release: Release, head: Release, releases: Sequence[Release]) -> bool:
    """Whether `release` is older than the head.

    If the head's name is no version, the version of one of `releases` (upstream's) on the head's commit counts. If
    there is none, the head counts as the newest.
    """
    rank = _rank(head, releases)
    return release.commit != head.commit and (rank is None or version_key(release.version) < rank)


def _rank(head: Release, releases: Sequence[Release]) -> VersionKey | None:
    """Return the version key of the head or, if its name is no version, of a release on its commit.

    None if there is no such release: the head then counts as the newest.
    """
    if is_release_name(head.version):
        return version_key(head.version)
    return next((version_key(release.version) for release in releases if release.commit == head.commit), None)


def _pinned(pin: Upgrade, head: Release, unpinned: Base, have: Canonical | None, releases: Sequence[Release]) -> Base:
    """Return the base that the declaration pins, or a base without a release if the pinned one cannot be the base.

    `unpinned` is the base without the pin. If `unpinned` is the pinned release with the data of the generation `have`,
    return it with another reason.
    """
    without = unpinned.release.version if unpinned.release else "none"
    why = f"pinned to {pin.base} ({pin.reason}); without the pin: {without}"
    removable = have is not None and version_key(have.version) >= version_key(pin.base)
    if have is not None and have.version == pin.base and unpinned.origin is Origin.CANONICAL:
        return evolve(unpinned, why=why, removable=removable)
    release = next((release for release in releases if release.version == pin.base), None)
    if release is None or not _is_older(release, head, releases):
        flaw = "is no release upstream" if release is None else f"is not older than {head.version}"
        why = f"pinned to {pin.base}, which {flaw}; without the pin: {without}"
        return Base(None, Origin.NONE, why, removable)
    return Base(release, Origin.FRESH, why, removable)
