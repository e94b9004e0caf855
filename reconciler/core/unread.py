"""Tags that look like versions and are no releases: which of them a person should know of, and how they are told."""

from collections.abc import Mapping, Sequence
from typing import Final

from desired.model import Ambiguous, NeverReleased, Release, Want
from desired.versions import LONGEST, is_release_name, version_key
from desired.want import unread_versions
from reconciler.core.sights import Sight, believed_tags

MOST_NAMED: Final = 5
SHOWN_OF_LONG: Final = 40


def unread_tags(sight: Sight, want: Want) -> tuple[str, ...]:
    """Those that look later than what is wanted, the latest first; all of them where upstream has no release tag."""
    tags = believed_tags(sight) or {}
    match want:
        case Release(version=newest) | Ambiguous(tags=(newest, *_)):
            return unread_versions(tags, sight.recipe.allow, version_key(newest)[:3])
        case NeverReleased():
            return unread_versions(tags, sight.recipe.allow if has_releases(tags) else "*")
        case _:
            return ()


def has_releases(tags: Mapping[str, str | None]) -> bool:
    return any(commit is not None and is_release_name(tag) for tag, commit in tags.items())


def said_of_unread(tags: Sequence[str]) -> str:
    """The first few of these tags, and what a release is named."""
    more = f" and {len(tags) - MOST_NAMED} more" if len(tags) > MOST_NAMED else ""
    return f"{', '.join(map(shown_tag, tags[:MOST_NAMED]))}{more} (a release is named x.y.z or x.y.z+APP)"


def shown_tag(tag: str) -> str:
    """A tag that is no release; where its name does not show why, with the reason."""
    if len(tag) > LONGEST:
        return f"{tag[:SHOWN_OF_LONG]}… (more than {LONGEST} characters)"
    return f"{tag} (names no commit)" if is_release_name(tag) else tag
