"""Finds tags of upstream that look like versions but are no releases, and describes them for a person."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from attrs import frozen

from desired.releases import AmbiguousVersion, Release, Unobservable, Want
from desired.unread import version_numbers
from desired.versions import LONGEST, is_release_name, version_key
from desired.want import not_releases, releases, unread_versions
from reconciler.core.observation import Observation, upstream_tags

MOST_NAMED: Final = 5
SHOWN_OF_LONG: Final = 40


def unread_tags(observation: Observation, want: Want) -> tuple[str, ...]:
    """Return the tags that are no releases, but look like versions later than the wanted release and the canonical's.

    The latest comes first. Tags outside of the declared range `allow` are left out, unless upstream has no release.
    """
    tags = upstream_tags(observation)
    if tags is None or isinstance(want, Unobservable):
        return ()
    allow = observation.recipe.allow if has_releases(tags) else "*"
    return unread_versions(tags, allow, max(_known(observation, want), default=()))


def _known(observation: Observation, want: Want) -> Iterator[tuple[int, ...]]:
    """Yield the version numbers of the wanted release and of the canonical, such as (1, 2, 0), if there are any."""
    if isinstance(want, Release):
        yield version_key(want.version)[:3]
    if isinstance(want, AmbiguousVersion):
        yield version_key(want.tags[0])[:3]
    if observation.canonical is not None:
        yield version_key(observation.canonical.version)[:3]


@frozen
class UnreadTag:
    """A tag of upstream that is not considered when a release is chosen. `why` is the reason."""

    tag: str
    why: str


def tags_not_read(tags: Mapping[str, str | None], allow: str) -> tuple[UnreadTag, ...]:
    """Return the tags of upstream that are not considered when a release is chosen, each with the reason.

    Tags that are no releases come first, and then releases outside of the declared range `allow`. `tags` maps each tag
    of upstream to its commit; to None if the tag names no commit.
    """
    admitted = {release.version for release in releases(tags, allow)}
    outside = [release.version for release in releases(tags, "*") if release.version not in admitted]
    odd = [UnreadTag(tag, _why_no_release(tag)) for tag in not_releases(tags)]
    return (*odd, *(UnreadTag(version, f'outside of `allow = "{allow}"`') for version in outside))


def _why_no_release(tag: str) -> str:
    """Return why `tag` is no release, such as "does not look like a version".

    If the tag has the name of a release, the reason is "names no commit".
    """
    if is_release_name(tag):
        return "names no commit"
    if len(tag) > LONGEST:
        return f"has more than {LONGEST} characters"
    if version_numbers(tag) is None:
        return "does not look like a version"
    return "looks like a version, but is not named x.y.z or x.y.z+APP"


def has_releases(tags: Mapping[str, str | None]) -> bool:
    """Return whether at least one of the tags is a release: its name is that of a release, and its commit not None."""
    return any(commit is not None and is_release_name(tag) for tag, commit in tags.items())


def unread_tags_message(tags: Sequence[str]) -> str:
    """Return a text that names the first tags in `tags`, at most MOST_NAMED, and says how many more there are.

    An example: "v1, latest and 3 more (a release is named x.y.z or x.y.z+APP)".
    """
    more = f" and {len(tags) - MOST_NAMED} more" if len(tags) > MOST_NAMED else ""
    return f"{', '.join(map(format_tag, tags[:MOST_NAMED]))}{more} (a release is named x.y.z or x.y.z+APP)"


def format_tag(tag: str) -> str:
    """Return the name of a tag that is no release, for a message. A very long name is shortened.

    If the name has the form of a release's name, a text follows on why the tag is no release: "1.2.0 (names no
    commit)".
    """
    if len(tag) > LONGEST:
        return f"{tag[:SHOWN_OF_LONG]}… (more than {LONGEST} characters)"
    return f"{tag} (names no commit)" if is_release_name(tag) else tag
