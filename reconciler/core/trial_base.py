"""Chooses the base of a trial's upgrade from what was observed."""

from attrs import evolve

from desired.model import Release
from desired.want import releases
from reconciler.core.base import Base, upgrade_base
from reconciler.core.observation import Observation, moved_tags, upstream_tags
from reconciler.core.wanted_release import may_run


def base_for(observation: Observation, release: Release) -> Base:
    """Return the base of an upgrade to `release`. A moved tag cannot be the base: our mirror lacks its new commit.

    If the recipe needs signatures, a release without a good one cannot be the base either.
    """
    moved = moved_tags(observation)
    unmoved = {tag: commit for tag, commit in (upstream_tags(observation) or {}).items() if tag not in moved}
    published = releases(unmoved, observation.recipe.allow)
    usable = [each for each in published if each.commit == release.commit or may_run(observation, each)]
    base = upgrade_base(release, observation.canonical, observation.newest_intact, usable, observation.recipe.upgrade)
    if base.release is None and len(usable) < len(published):
        return evolve(base, why=f"{base.why}; releases without a good signature are left out")
    return base
