"""Chooses the base of a trial's upgrade from what was observed."""

from desired.model import Release
from desired.want import releases
from reconciler.core.base import Base, upgrade_base
from reconciler.core.observation import Observation, moved_tags, upstream_tags


def base_for(observation: Observation, release: Release) -> Base:
    """Return the base of an upgrade to `release`. A moved tag cannot be the base: our mirror lacks its new commit."""
    moved = moved_tags(observation)
    unmoved = {tag: commit for tag, commit in (upstream_tags(observation) or {}).items() if tag not in moved}
    published = releases(unmoved, observation.recipe.allow)
    return upgrade_base(
        release, observation.canonical, observation.newest_intact, published, observation.recipe.upgrade
    )
