"""Compares what each recipe should be with what was observed of it, and names the difference in a finding."""

from collections.abc import Collection, Mapping
from datetime import datetime
from enum import StrEnum

from attrs import frozen

from desired.releases import AmbiguousVersion, NeverReleased, Release, Unobservable, Want
from desired.versions import LONGEST, is_release_name, version_key
from desired.want import not_releases
from reconciler.core.observation import (
    CanonicalStatus,
    Observation,
    Orphan,
    moved_tags,
    tags_to_mirror,
    upstream_tags,
    vanished_tags,
)
from reconciler.core.unread_tags import has_releases, unread_tags, unread_tags_message
from reconciler.core.wanted_release import want_of
from state.records import Canonical


class Cause(StrEnum):
    """How the wanted release differs from the recorded one, or why they cannot be compared.

    AHEAD: the canonical is newer than the wanted release, upstream dropped its tag, or `[release] allow` excludes it.
    MOVED: a release tag names another commit than before. AMBIGUOUS: the newest version has tags on several commits.
    """

    IN_SYNC = "in-sync"
    FIRST_RELEASE = "first-release"
    NEW_RELEASE = "new-release"
    NEVER_RELEASED = "never-released"
    AMBIGUOUS = "ambiguous"
    AHEAD = "ahead"
    MOVED = "moved"
    ORPHANED = "orphaned"
    UNOBSERVABLE = "unobservable"


class MirrorState(StrEnum):
    """How our mirror compares with upstream. BEHIND: they differ. UNKNOWN: the mirror or upstream cannot be read."""

    EQUAL = "equal"
    BEHIND = "behind"
    MISSING = "missing"
    UNKNOWN = "unknown"


@frozen
class Finding:
    """How the canonical and the mirror of one recipe differ from what they should be; `reason` says it in one sentence.

    * `want`: the wanted release, or why there is none; None for an orphan. `since`: when that release was first seen.
    * `have`: the recorded canonical; None if there is none. `status`: the state of the canonical.
    * `not_releases`: all tags of upstream that are no releases. `vanished`: release tags that upstream has lost.
    * `unread`: the tags in `not_releases` that look like versions later than `want` and `have`.
    * `unreadable`: why our mirror cannot be read; "" if it can.
    * `older_intact`: the intact generation in place of a damaged canonical; None if there is none.
    """

    recipe: str
    want: Want | None
    have: Canonical | None
    cause: Cause
    status: CanonicalStatus
    mirror: MirrorState
    reason: str
    observed_at: datetime | None
    since: datetime | None = None
    not_releases: tuple[str, ...] = ()
    vanished: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    unreadable: str = ""
    older_intact: Canonical | None = None

    @property
    def differs_since(self) -> datetime | None:
        """Return since when the recipe differs from what it should be; None if it does not, or if that is not known."""
        return self.since if self.since is not None else self.status.last_up


def compare(observations: Mapping[str, Observation], orphans: Mapping[str, Orphan]) -> tuple[Finding, ...]:
    """Return one finding for each declared recipe and each orphan, sorted by the name of the recipe."""
    findings = (*map(_finding, observations.values()), *map(_orphaned, orphans.values()))
    return tuple(sorted(findings, key=lambda finding: finding.recipe))


def _orphaned(orphan: Orphan) -> Finding:
    reason = "recorded, but no longer declared"
    have = orphan.canonical
    return Finding(have.recipe, None, have, Cause.ORPHANED, orphan.status, MirrorState.UNKNOWN, reason, None)


def _finding(observation: Observation) -> Finding:
    want = want_of(observation)
    cause, reason = _cause(observation, want)
    tags = upstream_tags(observation)
    return Finding(
        recipe=observation.recipe.name,
        want=want,
        have=observation.canonical,
        cause=cause,
        status=observation.status,
        mirror=mirror_state(observation),
        reason="; ".join(filter(None, (reason, observation.mirror.unreadable))),
        observed_at=observation.observed_at,
        since=_since(observation, want, cause),
        not_releases=not_releases(tags) if tags is not None else (),
        vanished=tuple(sorted(vanished_tags(observation))),
        unread=unread_tags(observation, want),
        unreadable=observation.mirror.unreadable,
        older_intact=observation.older_intact,
    )


def _cause(observation: Observation, want: Want) -> tuple[Cause, str]:
    """Return the gravest cause that applies, and a sentence about it. The cause is IN_SYNC if nothing differs."""
    if isinstance(want, Unobservable):
        return Cause.UNOBSERVABLE, want.reason
    moved = _moved(observation, want)
    if moved:
        return Cause.MOVED, moved
    ahead = _ahead(observation, want)
    if ahead:
        return Cause.AHEAD, ahead
    if isinstance(want, AmbiguousVersion):
        return Cause.AMBIGUOUS, _why_ambiguous(want)
    if isinstance(want, NeverReleased):
        return Cause.NEVER_RELEASED, _why_never_released(observation)
    return _release_cause(observation.canonical, want)


def _why_ambiguous(want: AmbiguousVersion) -> str:
    remedy = "upstream must drop all but one or publish a newer version; or leave it out by [release] allow"
    return f"the newest version has several tags on different commits: {', '.join(want.tags)}; {remedy}"


def _moved(observation: Observation, want: Want) -> str:
    """Return a text on the moved tag of the wanted release or of the canonical's; "" if neither tag was moved."""
    watched = {want.version} if isinstance(want, Release) else set()
    if isinstance(want, AmbiguousVersion):
        watched |= set(want.tags)
    if observation.canonical is not None:
        watched.add(observation.canonical.version)
    moved = moved_tags(observation)
    names = sorted(watched & set(moved))
    if not names:
        return ""
    before, after = moved[names[0]]
    hint = f"if that is right: reconcile accept {observation.recipe.name} {names[0]} --reason …"
    return f"tag {names[0]} named {before[:7]} and now names {after[:7]}; {hint}"


def _ahead(observation: Observation, want: Release | NeverReleased | AmbiguousVersion) -> str:
    """Return a sentence on how the canonical is ahead of the wanted release `want`; "" if it is not ahead.

    It is ahead if upstream dropped its tag, if it is newer than `want`, or if `[release] allow` excludes all releases.
    """
    have = observation.canonical
    if have is None:
        return ""
    if not is_published(have, upstream_tags(observation) or {}):
        return f"the canonical's tag {have.version} is gone upstream"
    if isinstance(want, NeverReleased):
        return f"the canonical is at {have.version}, which `allow` now excludes"
    newest = want.tags[0] if isinstance(want, AmbiguousVersion) else want.version
    if version_key(have.version) > version_key(newest):
        return f"the canonical is at {have.version}, newer than {newest}"
    return ""


def is_published(have: Canonical, tags: Mapping[str, str | None]) -> bool:
    """Return whether upstream has the tag of the canonical `have`, or another tag of its version on its commit."""
    key = version_key(have.version)
    twins = (tag for tag, commit in tags.items() if commit == have.commit and is_release_name(tag))
    return tags.get(have.version) is not None or any(version_key(tag) == key for tag in twins)


def _why_never_released(observation: Observation) -> str:
    tags = upstream_tags(observation) or {}
    if not tags:
        return "upstream has no tags"
    unread = unread_tags(observation, NeverReleased())
    alike = f"; tags that look like versions and are not read: {unread_tags_message(unread)}" if unread else ""
    if not has_releases(tags):
        return "upstream has no release tag" + _long_tags_note(tags) + alike
    return f'no release tag lies in `allow = "{observation.recipe.allow}"`{alike}'


def _long_tags_note(tags: Collection[str]) -> str:
    """Return a text on how many tags are too long for a release name; "" if there are none."""
    long = sum(len(tag) > LONGEST for tag in tags)
    return f"; {long} of its {len(tags)} tags have more than {LONGEST} characters" if long else ""


def _release_cause(have: Canonical | None, want: Release) -> tuple[Cause, str]:
    """Return how the wanted release `want` differs from the canonical `have` (None for none), and a text on that."""
    if have is None:
        return Cause.FIRST_RELEASE, f"no canonical yet; newest release is {want.version}"
    if version_key(have.version) != version_key(want.version):
        return Cause.NEW_RELEASE, f"{want.version} was released after {have.version}"
    if have.commit == want.commit:
        return Cause.IN_SYNC, f"canonical is at the newest release {want.version}"
    return Cause.NEW_RELEASE, f"{want.version} was moved to {want.commit[:7]} and accepted"


def _since(observation: Observation, want: Want, cause: Cause) -> datetime | None:
    """Return when the wanted release was first seen; None if it is promoted already, or if no pass has seen it."""
    if cause not in {Cause.FIRST_RELEASE, Cause.NEW_RELEASE} or not isinstance(want, Release):
        return None
    known = observation.memory.known.get(want.version)
    return known.first_seen if known is not None else None


def follows_upstream(observation: Observation) -> bool:
    """Return whether a pass fetches from the recipe's upstream, and records what upstream answered.

    True if the recipe is enrolled and its upstream can be observed. If the answer lacks too many of the known tags,
    upstream counts as unobservable until a person accepts the loss.
    """
    return observation.recipe.enrolled and not isinstance(want_of(observation), Unobservable)


def needs_fetch(observation: Observation) -> bool:
    """Return whether a pass has to fetch into the recipe's mirror, because the mirror differs from upstream."""
    return follows_upstream(observation) and mirror_state(observation) is not MirrorState.EQUAL


def mirror_state(observation: Observation) -> MirrorState:
    """Return how our mirror compares with upstream's answer. UNKNOWN if the mirror or the answer cannot be read."""
    mirror = observation.mirror
    if mirror.unreadable:
        return MirrorState.UNKNOWN
    if mirror.tags is None:
        return MirrorState.MISSING
    if isinstance(observation.answer, Unobservable):
        return MirrorState.UNKNOWN
    same = mirror.head == observation.answer.head and _holds_available_tags(mirror.tags, observation)
    return MirrorState.EQUAL if same else MirrorState.BEHIND


def _holds_available_tags(held: Mapping[str, str], observation: Observation) -> bool:
    """Return whether the tags `held` of our mirror have the right commits, and lack none that upstream still has."""
    wanted, available = tags_to_mirror(observation), upstream_tags(observation) or {}
    is_right = all(wanted.get(tag) == commit for tag, commit in held.items())
    return is_right and not any(available.get(tag) == wanted[tag] for tag in wanted.keys() - held.keys())
