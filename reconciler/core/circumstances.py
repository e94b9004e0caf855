"""What a verdict depends on now, and whether a release was red under just these circumstances."""

from collections.abc import Collection, Mapping
from datetime import date

from attrs import field, frozen

from desired.model import Recipe
from desired.releases import Release
from desired.versions import version_key
from reconciler.core.observation import Observation
from state.records import Circumstances, Memory, Place, Red


@frozen
class PlanContext:
    """What a plan depends on, besides the observations.

    * `place`: this host and its tools.
    * `canon`: the revision of this program.
    * `today`: the day in UTC.
    * `retry`: the recipes that are tried again even if they were red.
    * `recipes`: all recipes of the fleet, by name.
    """

    place: Place
    canon: str
    today: date
    retry: Collection[str] = ()
    recipes: Mapping[str, Recipe] = field(factory=dict)


def circumstances_of(release: Release, observation: Observation, context: PlanContext) -> Circumstances:
    """Return the circumstances: everything on which the verdict of a trial of `release` would depend now.

    These are the release's commit, the recipe's declarations and tests, the revision of Canon, and this host with its
    tools. A release that was red is tried again once one of them has changed.
    """
    place = context.place
    return Circumstances(release.commit, observation.tests, context.canon, place.digest, place.versions_digest)


def matching_red(memory: Memory, now: Circumstances, release: Release, context: PlanContext) -> Red | None:
    """Return the remembered red (failed trial) of `release` that happened under the same circumstances as `now`.

    Circumstances are all on which a verdict depends, such as the tests and this host's tools. Return None if there is
    no such red, or if `context.retry` names the recipe.
    """
    if memory.recipe in context.retry:
        return None
    key = version_key(release.version)
    alike = (red for red in memory.reds.values() if version_key(red.version) == key)
    return next((red for red in alike if red.circumstances == now), None)


def latest_red(memory: Memory, release: Release) -> Red | None:
    """Return the last red of a release, even if something has changed since; None if there is none."""
    key = version_key(release.version)
    reds = [red for red in memory.reds.values() if version_key(red.version) == key]
    return max(reds, key=lambda red: red.at, default=None)


def changed_circumstances(then: Circumstances, now: Circumstances) -> tuple[str, ...]:
    """Return what differs between two circumstances of a trial, in words such as "its commit"; () for nothing."""
    words = {
        "its commit": then.commit != now.commit,
        "its tests, its declaration or its needs": then.tests != now.tests,
        "Canon": then.canon != now.canon,
        "the place": then.place != now.place,
        "the versions of its tools": then.versions != now.versions,
    }
    return tuple(word for word, is_so in words.items() if is_so)
