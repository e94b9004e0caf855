"""Which of the published tags are releases, and which release a recipe should be at."""

from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from operator import itemgetter

from desired.model import AmbiguousVersion, NeverReleased, Release, Want
from desired.unread import Numbers, in_order, is_later, version_numbers
from desired.versions import VersionKey, is_release_name, version_key

Tags = Mapping[str, str | None]
Rank = tuple[Release, ...]
"""Releases that are equal in the order of versions, the one that names them all first."""


def resolve_want(tags: Tags, allow: str) -> Want:
    """The greatest allowed release. `tags` maps each published tag to the commit it peels to, None for no commit.

    `allow` is a range on x.y.z, or "*"; raises packaging's InvalidSpecifier where it is neither.
    """
    ranks = _ranks(tags, allow)
    if not ranks:
        return NeverReleased()
    greatest = ranks[-1]
    if _is_one(greatest):
        return greatest[0]
    return AmbiguousVersion(tuple(sorted(release.version for release in greatest)))


def releases(tags: Tags, allow: str) -> tuple[Release, ...]:
    """All allowed releases, oldest first; those equal in the order once, and left out where their commits differ."""
    return tuple(rank[0] for rank in _ranks(tags, allow) if _is_one(rank))


def not_releases(tags: Tags) -> tuple[str, ...]:
    """The tags that are never ordered: no release name, or no commit behind it."""
    return tuple(sorted(name for name, commit in tags.items() if commit is None or not is_release_name(name)))


def unread_versions(tags: Tags, allow: str, than: Numbers = ()) -> tuple[str, ...]:
    """The tags that people would take for versions and that are never ordered, the latest first.

    Only those in the range `allow` that look later than `than`, as written of a release: (1, 5, 1).
    """
    allows = _filter(allow)
    read = {tag: numbers for tag in not_releases(tags) if (numbers := version_numbers(tag)) is not None}
    later = {tag: numbers for tag, numbers in read.items() if is_later(numbers, than) and allows(numbers)}
    return in_order(later)


def _ranks(tags: Tags, allow: str) -> list[Rank]:
    """Allowed releases by their place in the order, oldest first."""
    allows = _filter(allow)
    keyed = sorted((key, name.startswith("v"), name, commit) for key, name, commit in _keyed(tags) if allows(key))
    return [
        tuple(Release(name, commit) for _, _, name, commit in rank) for _, rank in groupby(keyed, key=itemgetter(0))
    ]


def _keyed(tags: Tags) -> Iterator[tuple[VersionKey, str, str]]:
    for name, commit in tags.items():
        if commit is not None and is_release_name(name):
            yield version_key(name), name, commit


def _filter(allow: str) -> Callable[[VersionKey | Numbers], bool]:
    if allow == "*":
        return lambda _: True
    from packaging.specifiers import SpecifierSet

    allowed = SpecifierSet(allow)
    return lambda key: allowed.contains("{}.{}.{}".format(*key, 0, 0))


def _is_one(rank: Rank) -> bool:
    return len({release.commit for release in rank}) == 1
