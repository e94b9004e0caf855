"""Chooses the release from which the upgrade of a trial starts, by what was observed."""

from collections.abc import Sequence

from attrs import evolve

from desired.releases import Release
from desired.want import releases
from reconciler.core.base import Base, upgrade_base
from reconciler.core.observation import Observation, moved_tags, upstream_tags
from reconciler.core.wanted_release import may_run, unsigned_reason


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
    base = upgrade_base(release, observation.canonical, observation.newest_intact, usable, observation.recipe.upgrade)
    left_out = [each for each in published if each not in usable]
    return evolve(base, why=_why_none(observation, base, left_out)) if base.release is None and left_out else base


def _why_none(observation: Observation, base: Base, left_out: Sequence[Release]) -> str:
    """Return why an upgrade has no base. `left_out` are the releases without a good signature, at least one.

    If no signature of these releases was checked yet, the text says so, and calls no signature bad.
    """
    pin = observation.recipe.upgrade.base
    faults = {each.version: unsigned_reason(observation, each) for each in left_out}
    if pin in faults:
        return f"pinned to {pin}, which may not run: {faults[pin] or 'its signature is not checked yet'}"
    if any(faults.values()):
        return f"{base.why}; releases without a good signature are left out"
    return f"{base.why}; releases whose signature is not checked yet are left out"
