"""Chooses the release from which the upgrade of a trial starts, by what was observed."""

from collections.abc import Sequence

from attrs import evolve

from desired.releases import Release, Unobservable
from desired.want import ambiguous_releases, releases
from reconciler.core.base import Base, Pin, is_older, upgrade_base
from reconciler.core.observation import Observation, moved_tags, upstream_tags
from reconciler.core.wanted_release import may_run, pinned_release, unsigned_reason


def base_for(observation: Observation, release: Release) -> Base:
    """Return the base: the release from which the upgrade to `release` starts, and where its data comes from.

    `upgrade_base` chooses it: mostly the canonical's release, or the one that the declaration pins. It cannot choose:

    * a release whose tag moved, because our mirror lacks the new commit
    * a release without a good signature, if the recipe needs signatures

    If no release is left, the field `release` of the base is None, and its field `why` has the reason.
    """
    moved = moved_tags(observation)
    unmoved = {tag: commit for tag, commit in (upstream_tags(observation) or {}).items() if tag not in moved}
    published = releases(unmoved, observation.recipe.allow)
    usable = [each for each in published if each.commit == release.commit or may_run(observation, each)]
    base = upgrade_base(release, observation.canonical, observation.newest_intact, usable, _pin(observation))
    if base.release is not None or base.is_unusable:
        return base
    unsigned = [each for each in published if each not in usable and is_older(each, release, usable)]
    left_out = (*_unsigned_text(observation, unsigned), *_unclear_texts(observation, release))
    return evolve(base, why="; ".join((base.why, *left_out)), is_unusable=bool(left_out))


def _pin(observation: Observation) -> Pin | None:
    """Return the base that the declaration pins, and why it cannot be used; None if none is pinned."""
    upgrade = observation.recipe.upgrade
    if upgrade.base == "canonical":
        return None
    release = pinned_release(observation)
    return Pin(upgrade.base, upgrade.reason, release, _pin_fault(observation, release))


def _pin_fault(observation: Observation, release: Release | None) -> str:
    """Return why the pinned release `release` cannot be used; "" if it can. None means that it was not found."""
    if isinstance(observation.answer, Unobservable):
        return f"cannot be looked up upstream: {observation.answer.reason}"
    if release is None:
        return "is no single release upstream"
    if release.version in moved_tags(observation):
        return "was moved upstream, which nobody accepted"
    if may_run(observation, release):
        return ""
    return f"may not run: {unsigned_reason(observation, release) or 'its signature is not checked yet'}"


def _unsigned_text(observation: Observation, unsigned: Sequence[Release]) -> tuple[str, ...]:
    """Return a text on the older releases `unsigned`, which are no base for want of a good signature; () if none are.

    If no signature of these releases was checked yet, the text says so, and calls no signature bad.
    """
    is_bad = any(unsigned_reason(observation, each) for each in unsigned)
    signature = "without a good signature" if is_bad else "whose signature is not checked yet"
    return (f"releases {signature} are left out",) if unsigned else ()


def _unclear_texts(observation: Observation, head: Release) -> tuple[str, ...]:
    """Return texts on releases older than `head` that are no base because their commit is unclear; () if none are.

    The commit is unclear if the tag moved, or if the tags of the version name different commits.
    """
    tags, allow = upstream_tags(observation) or {}, observation.recipe.allow
    moved = releases({tag: tags[tag] for tag in moved_tags(observation)}, allow)
    texts = {
        "releases whose tag was moved are left out": moved,
        "versions with tags on different commits are left out": ambiguous_releases(tags, allow),
    }
    known = releases(tags, allow)
    return tuple(text for text, left_out in texts.items() if any(is_older(each, head, known) for each in left_out))
