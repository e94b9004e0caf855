"""Decides from which release an upgrade starts, and why."""

from collections.abc import Sequence
from enum import StrEnum

from attrs import evolve, frozen

from desired.releases import Release
from desired.versions import VersionKey, is_release_name, version_key
from state.records import Canonical


class Origin(StrEnum):
    """The origin of the data with which an upgrade starts.

    * CANONICAL: a recorded snapshot.
    * FRESH: a fresh install of the older release.
    * NONE: there is no older release, or none that can be used.
    """

    CANONICAL = "canonical"
    FRESH = "fresh"
    NONE = "none"


@frozen
class Base:
    """The release from which an upgrade starts, and the data for it.

    * `release`: None if there is none, so that no upgrade is tried.
    * `origin`: where the data of this release comes from.
    * `why`: the reason for this choice, in one sentence.
    * `removable`: True if the declaration pins a base, but no longer needs to.
    * `generation`: the generation whose snapshot has the data; None for a fresh install.
    * `is_unusable`: True if there is no `release` although there should be one: the pinned release, or each older
      release, cannot be used. False if there is a `release`, or nothing older.
    """

    release: Release | None
    origin: Origin
    why: str
    removable: bool = False
    generation: int | None = None
    is_unusable: bool = False


@frozen
class Pin:
    """The base that a declaration pins, as it was found upstream.

    * `named`: the version that `[upgrade] base` names.
    * `reason`: the declared reason for the pin.
    * `release`: the release that `named` means; None if it was not found.
    * `fault`: why this release cannot be used, such as "is no single release upstream"; "" if it can.
    """

    named: str
    reason: str
    release: Release | None
    fault: str = ""


def upgrade_base(
    head: Release,
    canonical: Canonical | None,
    newest_intact: Canonical | None,
    releases: Sequence[Release],
    pin: Pin | None,
) -> Base:
    """Return the release from which the upgrade to `head`, the release under test, starts.

    * `canonical`: the recorded canonical; None if there is none.
    * `newest_intact`: the canonical if its snapshot is intact, else the intact generation that takes its place; None if
      there is none.
    * `releases`: the allowed releases of upstream that can be used, in ascending order.
    * `pin`: the base that the declaration pins, which need not be in `releases`; None if it pins none.
    """
    unpinned = _unpinned(head, newest_intact, canonical, releases)
    if pin is None:
        return unpinned
    return _pinned(pin, head, unpinned, newest_intact, releases)


def _unpinned(head: Release, have: Canonical | None, recorded: Canonical | None, releases: Sequence[Release]) -> Base:
    """Return the base for a declaration that pins no base.

    * The release of `have`, with its data, if an upgrade to the head can start from that data.
    * Else the newest release before the head, installed fresh.
    * Else a base without a release.

    `recorded` is the canonical, `have` it or the intact generation in its place; each is None if there is none.
    `releases` are all of upstream, in ascending order.
    """
    if have is not None and _can_upgrade(have, recorded, head, releases):
        release = Release(have.version, have.commit)
        return Base(release, Origin.CANONICAL, _why_this_data(have, recorded), generation=have.generation)
    older = [release for release in releases if is_older(release, head, releases)]
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
    """Return whether an upgrade to the head can start from the data of the generation `have`.

    * True if the release of `have` is older than the head.
    * True if `have` has the head's own release, but is not the canonical. Then the canonical is damaged, and its
      release is tested again on the data of an older generation.
    * Else False.

    `recorded` is the canonical; None if none is recorded. `releases` are all of upstream.
    """
    is_retest = have != recorded and have.commit == head.commit and _rank(head, releases) == version_key(have.version)
    return is_retest or _is_older_than_head(have, head, releases)


def _why_this_data(have: Canonical, recorded: Canonical | None) -> str:
    """Return a text on the data of the generation `have`, with which an upgrade starts.

    * If `have` is the canonical `recorded`: the text says so.
    * Else: the text says that the canonical is damaged, and that `have` is intact.
    """
    if have == recorded:
        return "the canonical, with its data"
    return f"generation {have.generation}, intact, with its data: the canonical is damaged"


def _is_older_than_head(have: Canonical, head: Release, releases: Sequence[Release]) -> bool:
    """Return whether the generation `have` is older than the head. `releases` are all of upstream.

    * If the head has no version (see `_rank`): True unless `have` is on the head's commit.
    * If both have the same version: True if they are on different commits, because then the tag was moved.
    * Else: True if the version of `have` is the older one.
    """
    rank, own = _rank(head, releases), version_key(have.version)
    if rank is None or own == rank:
        return have.commit != head.commit
    return own < rank


def is_older(release: Release, head: Release, releases: Sequence[Release]) -> bool:
    """Return whether `release` is older than the head. `releases` are all of upstream.

    * If both are on the same commit: False.
    * If the head has no version (see `_rank`): True, because the head then counts as the newest.
    * Else: True if the version of `release` is the older one.
    """
    rank = _rank(head, releases)
    return release.commit != head.commit and (rank is None or version_key(release.version) < rank)


def _rank(head: Release, releases: Sequence[Release]) -> VersionKey | None:
    """Return the version of the head, as a key for comparison. `releases` are all of upstream.

    If the head's name is no version, as for a branch, return the key of the release on the head's commit. If there is
    no such release, return None: then the head counts as the newest.
    """
    if is_release_name(head.version):
        return version_key(head.version)
    return next((version_key(release.version) for release in releases if release.commit == head.commit), None)


def _pinned(pin: Pin, head: Release, unpinned: Base, have: Canonical | None, releases: Sequence[Release]) -> Base:
    """Return the base that the declaration pins. If it cannot be used, return a base without a release.

    It cannot be used if it has a fault, or if it is not older than `head`.

    * `unpinned`: the base that would be used without the pin.
    * `have`: the canonical, or the intact generation in its place; None if there is none.
    * `releases`: the releases of upstream that can be used.
    """
    without = unpinned.release.version if unpinned.release else "none"
    why = f"pinned to {pin.named} ({pin.reason}); without the pin: {without}"
    removable = have is not None and version_key(have.version) >= version_key(pin.named)
    if have is not None and _is_pinned(have, pin) and unpinned.origin is Origin.CANONICAL:
        return evolve(unpinned, why=why, removable=removable)
    is_usable = pin.release is not None and is_older(pin.release, head, releases)
    if is_usable and not pin.fault:
        return Base(pin.release, Origin.FRESH, why, removable)
    why = f"pinned to {pin.named}, which {pin.fault or f'is not older than {head.version}'}; without the pin: {without}"
    is_unusable = bool(pin.fault) or unpinned.release is not None
    return Base(None, Origin.NONE, why, removable, is_unusable=is_unusable)


def _is_pinned(have: Canonical, pin: Pin) -> bool:
    """Return whether the generation `have` has the release that `pin` names, in whichever spelling of its version."""
    is_twin = pin.release is not None and version_key(have.version) == version_key(pin.release.version)
    return have.version == pin.named or (is_twin and pin.release is not None and have.commit == pin.release.commit)
