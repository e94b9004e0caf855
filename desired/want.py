"""Find the releases among upstream's tags, and choose the release that a recipe should have."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from desired.model import AmbiguousVersion, NeverReleased, Release, Want
from desired.unread import Numbers, in_order, is_later, version_numbers
from desired.versions import VersionKey, is_release_name, version_key

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

Tags = Mapping[str, str | None]
Rank = tuple[Release, ...]
"""All releases with the same sort key. The first one is used for all of them."""


def resolve_want(tags: Tags, allow: str) -> Want:
    """Return the greatest allowed release, or why there is none.

    `tags` maps each of upstream's tags to its commit, None if it names no commit. `allow` is a range on x.y.z, such as
    ">=2.0.0,<4", or "*" for all; for any other text packaging's InvalidSpecifier is raised.
    """
    ranks = _ranks(tags, allow)
    if not ranks:
        return NeverReleased()
    greatest = ranks[-1]
    if _has_one_commit(greatest):
        return greatest[0]
    return AmbiguousVersion(tuple(sorted(release.version for release in greatest)))


def releases(tags: Tags, allow: str) -> tuple[Release, ...]:
    """Return the allowed releases, the oldest first; at most one release for each sort key.

    `tags` and `allow` are as in `resolve_want`. Several tags may have the same sort key, such as v1.0.0 and 1.0.0. If
    they name the same commit, return a tag without a leading "v" if there is one. If they name different commits,
    return none of them.
    """
    return tuple(rank[0] for rank in _ranks(tags, allow) if _has_one_commit(rank))


def not_releases(tags: Tags) -> tuple[str, ...]:
    """Return the tags that are no releases, because they have no release name or name no commit, sorted by name."""
    return tuple(sorted(name for name, commit in tags.items() if commit is None or not is_release_name(name)))


def unread_versions(tags: Tags, allow: str, than: Numbers = ()) -> tuple[str, ...]:
    """Return the tags that look like versions but are no releases, the latest first.

    Leave out tags that are not in the range `allow`, and tags that are not later than the version `than`. That is given
    by its numbers, such as (1, 5, 1); () means 0.
    """
    is_allowed = _filter(allow)
    numbered = {tag: numbers for tag in not_releases(tags) if (numbers := version_numbers(tag)) is not None}
    later = {tag: numbers for tag, numbers in numbered.items() if is_later(numbers, than) and is_allowed(numbers)}
    return in_order(later)


def _ranks(tags: Tags, allow: str) -> list[Rank]:
    """Return the allowed releases, the oldest first, in groups with the same sort key."""
    is_allowed = _filter(allow)
    return [rank for key, rank in _all_ranks(tuple(tags.items())) if is_allowed(key)]


# `explain` asks for the releases of each recipe several times. The limit holds some hundred recipes.
@lru_cache(maxsize=512)
def _all_ranks(tags: tuple[tuple[str, str | None], ...]) -> tuple[tuple[VersionKey, Rank], ...]:
    """Return all releases, the oldest first, in groups with the same sort key. Each group comes with its key."""
    keyed = sorted((key, name.startswith("v"), name, commit) for key, name, commit in _with_keys(tags))
    return tuple(
        (key, tuple(Release(name, commit) for _, _, name, commit in rank))
        for key, rank in groupby(keyed, key=itemgetter(0))
    )


def _with_keys(tags: Iterable[tuple[str, str | None]]) -> Iterator[tuple[VersionKey, str, str]]:
    """Yield the sort key, the name and the commit of each tag that is a release."""
    for name, commit in tags:
        if commit is not None and is_release_name(name):
            yield version_key(name), name, commit


def _filter(allow: str) -> Callable[[VersionKey | Numbers], bool]:
    """Return a function that says whether a version, as a sort key or numbers, is in the range `allow`.

    Raise packaging's InvalidSpecifier if `allow` is no range.
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
