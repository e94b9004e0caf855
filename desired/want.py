"""Finds the releases among upstream's tags, and chooses the wanted one by its version."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from desired.releases import AmbiguousVersion, NeverReleased, Release, Want
from desired.unread import Numbers, in_order, is_later, version_numbers
from desired.versions import VersionKey, is_release_name, version_key

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

Tags = Mapping[str, str | None]
Rank = tuple[Release, ...]
"""All releases with the same sort key. The first one is used for all of them."""


def resolve_want(tags: Tags, allow: str) -> Want:
    """Return the greatest allowed release, or why there is none.

    `tags` maps upstream's tags to commits; None if a tag names no commit. `allow` is a range on x.y.z such as
    ">=2.0.0,<4", or "*" for all. Raise packaging's InvalidSpecifier if it is neither.
    """
    ranks = _ranks(tags, allow)
    if not ranks:
        return NeverReleased()
    greatest = ranks[-1]
    if _has_one_commit(greatest):
        return greatest[0]
    return AmbiguousVersion(tuple(sorted(release.version for release in greatest)))


def releases(tags: Tags, allow: str) -> tuple[Release, ...]:
    """Return the allowed releases, the oldest first.

    * `tags`: maps upstream's tags to commits; None if a tag names no commit.
    * `allow`: a range on x.y.z such as ">=2.0.0,<4", or "*" for all.

    Several tags may stand for one version, such as v1.0.0 and 1.0.0. If these tags name the same commit, one of them is
    returned, if possible one without "v". If they name different commits, none of them is returned.
    """
    return tuple(rank[0] for rank in _ranks(tags, allow) if _has_one_commit(rank))


def ambiguous_releases(tags: Tags, allow: str) -> tuple[Release, ...]:
    """Return the allowed releases of each version whose tags name different commits, the oldest version first.

    `tags` maps upstream's tags to commits; None if a tag names no commit. `allow` is a range such as ">=2.0.0,<4", or
    "*" for all.
    """
    return tuple(release for rank in _ranks(tags, allow) if not _has_one_commit(rank) for release in rank)


def release_named(tags: Tags, name: str) -> Release | None:
    """Return the release that the release name `name` means; None if there is none, or no single one.

    * If there is a tag `name`: the release of this tag.
    * Else, if all tags with this version, such as v1.0.0 for 1.0.0, name one commit: the release of such a tag.

    `tags` maps upstream's tags to commits; None if a tag names no commit. Raise ValueError if `name` is no release
    name.
    """
    commit = tags.get(name)
    if commit is not None:
        return Release(name, commit)
    rank = next((rank for key, rank in _all_ranks(tuple(tags.items())) if key == version_key(name)), ())
    return rank[0] if rank and _has_one_commit(rank) else None


def newest_older(tags: Tags, named: str, than: str | None, is_wanted: Callable[[Release], bool]) -> Release | None:
    """Return the newest release for which `is_wanted` returns True; None if there is none.

    `is_wanted` is asked about the releases that `named` and `than` allow, the newest first.

    * `tags`: upstream's tags, each with its commit; None if a tag names no commit.
    * `named`: a release name or a range of versions. A name without an app part that is no tag itself means all
      releases that begin with it: "3.4.1" means "3.4.1+1.2.0" and "3.4.1+1.1.0".
    * `than`: the release must be older than this version; None for releases of any age.
    """
    below = version_key(than) if than is not None else None
    older = (each for each in _meant(tags, named) if below is None or version_key(each.version) < below)
    return next((release for release in older if is_wanted(release)), None)


def _meant(tags: Tags, named: str) -> Iterable[Release]:
    """Return the releases that `named` means, the newest first; none if it means no release.

    `named` is a tag, a range of versions, or a release name without an app part. Such a name that is no tag itself
    means all releases that begin with it: "3.4.1" means "3.4.1+1.2.0" and "3.4.1+1.1.0".
    """
    commit = tags.get(named)
    if commit is not None:
        return [Release(named, commit)]
    if "+" in named:
        return []
    return reversed(releases(tags, f"=={named.removeprefix('v')}" if is_release_name(named) else named))


def not_releases(tags: Tags) -> tuple[str, ...]:
    """Return the tags that are no releases, because they have no release name or name no commit. Sort them by name."""
    return tuple(sorted(name for name, commit in tags.items() if commit is None or not is_release_name(name)))


def unread_versions(tags: Tags, allow: str, than: Numbers = ()) -> tuple[str, ...]:
    """Return the tags that look like versions but are no releases, such as `v26`. The latest comes first.

    * `tags`: upstream's tags, each with its commit; None if a tag names no commit.
    * `allow`: the range in which the version must be, such as ">=2.0.0,<4"; "*" for any.
    * `than`: the numbers of a version, such as (1, 5, 1). Only later versions are returned. () stands for version 0.
    """
    is_allowed = _filter(allow)
    numbered = {tag: numbers for tag in not_releases(tags) if (numbers := version_numbers(tag)) is not None}
    later = {tag: numbers for tag, numbers in numbered.items() if is_later(numbers, than) and is_allowed(numbers)}
    return in_order(later)


def _ranks(tags: Tags, allow: str) -> list[Rank]:
    """Return the allowed releases in groups, the oldest group first. Releases of a group have the same sort key.

    * `tags`: maps upstream's tags to commits; None if a tag names no commit.
    * `allow`: a range on x.y.z such as ">=2.0.0,<4", or "*" for all.
    """
    is_allowed = _filter(allow)
    return [rank for key, rank in _all_ranks(tuple(tags.items())) if is_allowed(key)]


# `explain` asks for the releases of each recipe several times. The limit holds some hundred recipes.
@lru_cache(maxsize=512)
def _all_ranks(tags: tuple[tuple[str, str | None], ...]) -> tuple[tuple[VersionKey, Rank], ...]:
    """Return all releases in groups, the oldest group first. Each group is a pair (sort key, releases).

    The releases of a group have the same sort key, such as 3.1.0+1.2 and v3.1.0+1.2. `tags` are pairs (tag, commit).
    The commit is None if the tag names no commit: then the tag is left out.
    """
    keyed = sorted((key, name.startswith("v"), name, commit) for key, name, commit in _with_keys(tags))
    return tuple(
        (key, tuple(Release(name, commit) for _, _, name, commit in rank))
        for key, rank in groupby(keyed, key=itemgetter(0))
    )


def _with_keys(tags: Iterable[tuple[str, str | None]]) -> Iterator[tuple[VersionKey, str, str]]:
    """Yield the sort key, the name and the commit of each tag that is a release. Skip tags whose commit is None."""
    for name, commit in tags:
        if commit is not None and is_release_name(name):
            yield version_key(name), name, commit


def _filter(allow: str) -> Callable[[VersionKey | Numbers], bool]:
    """Return a function that takes the sort key or the numbers of a version, and tells whether `allow` includes it.

    `allow` is a range on x.y.z such as ">=2.0.0,<4", or "*" for all. Raise packaging's InvalidSpecifier if it is
    neither.
    """
    if allow == "*":
        return lambda _: True
    _range(allow)  # raises an error now, even if there is no version to compare
    return lambda key: _contains(allow, "{}.{}.{}".format(*key, 0, 0))


@lru_cache(maxsize=512)
def _range(allow: str) -> "SpecifierSet":
    from packaging.specifiers import SpecifierSet

    return SpecifierSet(allow)


@lru_cache(maxsize=16_384)
def _contains(allow: str, version: str) -> bool:
    return _range(allow).contains(version)


def _has_one_commit(rank: Rank) -> bool:
    return len({release.commit for release in rank}) == 1
