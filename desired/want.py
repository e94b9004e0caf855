"""Find the releases among the published tags, and choose the release that a recipe should be at."""

from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from operator import itemgetter

from desired.model import AmbiguousVersion, NeverReleased, Release, Want
from desired.unread import Numbers, in_order, is_later, version_numbers
from desired.versions import VersionKey, is_release_name, version_key

Tags = Mapping[str, str | None]
Rank = tuple[Release, ...]
"""Releases with equal sort keys. The first one stands for all of them."""


def resolve_want(tags: Tags, allow: str) -> Want:
    """Return the greatest allowed release, or why there is none.

    `tags` maps each published tag to the commit that it points to, None where it points to no commit.
    `allow` is a range on x.y.z, or "*"; for anything else packaging's InvalidSpecifier is raised.
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

    Of tags with equal sort keys and one commit, one is returned: one without a leading "v" if there is any.
    If tags with equal sort keys point to different commits, none of them is returned.
    """
    return tuple(rank[0] for rank in _ranks(tags, allow) if _has_one_commit(rank))


def not_releases(tags: Tags) -> tuple[str, ...]:
    """Return the tags that are no releases: they have no release name, or point to no commit."""
    return tuple(sorted(name for name, commit in tags.items() if commit is None or not is_release_name(name)))


def unread_versions(tags: Tags, allow: str, than: Numbers = ()) -> tuple[str, ...]:
    """Return the tags that look like versions but are no releases, the latest first.

    Only tags in the range `allow` that look later than `than` are returned; `than` is written as (1, 5, 1).
    """
    is_allowed = _filter(allow)
    numbered = {tag: numbers for tag in not_releases(tags) if (numbers := version_numbers(tag)) is not None}
    later = {tag: numbers for tag, numbers in numbered.items() if is_later(numbers, than) and is_allowed(numbers)}
    return in_order(later)


def _ranks(tags: Tags, allow: str) -> list[Rank]:
    """Return the allowed releases grouped by sort key, the oldest first."""
    is_allowed = _filter(allow)
    keyed = sorted(
        (key, name.startswith("v"), name, commit) for key, name, commit in _with_keys(tags) if is_allowed(key)
    )
    return [
        tuple(Release(name, commit) for _, _, name, commit in rank) for _, rank in groupby(keyed, key=itemgetter(0))
    ]


def _with_keys(tags: Tags) -> Iterator[tuple[VersionKey, str, str]]:
    for name, commit in tags.items():
        if commit is not None and is_release_name(name):
            yield version_key(name), name, commit


def _filter(allow: str) -> Callable[[VersionKey | Numbers], bool]:
    if allow == "*":
        return lambda _: True
    from packaging.specifiers import SpecifierSet

    allowed = SpecifierSet(allow)
    return lambda key: allowed.contains("{}.{}.{}".format(*key, 0, 0))


def _has_one_commit(rank: Rank) -> bool:
    return len({release.commit for release in rank}) == 1
