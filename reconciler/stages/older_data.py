"""Finds the data of older releases over which a leap and a fall try a release."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from attrs import frozen

from desired.model import Fleet, Recipe, WayName
from desired.releases import Release
from desired.versions import is_release_name, version_key
from desired.want import newest_older
from reconciler.core.observation import Observation, State, tags_to_mirror
from reconciler.core.way_cases import DataSource
from reconciler.deploy.app_set import AppSet, AppSpec, snapshot_app_set
from reconciler.ports.host import Host
from reconciler.promotion.generations import snapshot_status, stored_generations
from reconciler.stages.signatures import refused_signature
from reconciler.trial.trial_request import TrialRequest
from reconciler.ways.older_data import OlderData
from state.records import Canonical

OVER_OLDER_DATA: Final = frozenset({WayName.LEAP, WayName.FALL})
"""The ways that need the data of older releases."""


@frozen
class OlderSources:
    """The data of older releases over which a leap and a fall can try a release.

    * `kept`: the stored generations of older releases, the newest first, by source.
    * `leaps`: the sources of data for a leap.
    * `fall`: the source of data for a fall; None if there is no older release.
    * `unusable`: the sources in `leaps` for which no release was found, each with the reason.
    """

    kept: Mapping[DataSource, Canonical]
    leaps: tuple[DataSource, ...]
    fall: DataSource | None
    unusable: Mapping[DataSource, str]

    def by_way(self) -> Mapping[WayName, tuple[DataSource, ...]]:
        return {WayName.LEAP: self.leaps, WayName.FALL: (self.fall,) if self.fall is not None else ()}


def older_sources(host: Host, observation: Observation, release: Release) -> OlderSources:
    """Return the data of older releases, over which a leap and a fall can deploy `release`.

    * for a leap: each stored generation of an older release, and a fresh install of each release that `[upgrade] also`
      names and that no stored generation has.
    * for a fall: the newest stored generation of an older release or, if none is stored, a fresh install of the newest
      older release.

    If the recipe needs signatures, an unsigned release counts as missing. Raise InfrastructureError if a signature
    cannot be checked.
    """
    search = _Search(host, observation, release)
    kept = {_source(each): each for each in search.kept_generations()}
    named = {text: search.newest(text) for text in observation.recipe.upgrade.also}
    releases = {source.release for source in kept}
    fresh = [DataSource(each.version, each.commit) for each in named.values() if each and each not in releases]
    unusable = {DataSource(text): search.why_none() for text, found in named.items() if found is None}
    leaps = tuple(dict.fromkeys((*kept, *fresh, *unusable)))
    newest = None if kept else search.newest("*")
    installed = DataSource(newest.version, newest.commit) if newest is not None else None
    return OlderSources(kept, leaps, next(iter(kept), installed), unusable)


def older_data(  # noqa: PLR0913, PLR0917  all that a leap and a fall deploy
    host: Host,
    recipes: Mapping[str, Recipe],
    have: Mapping[str, Canonical],
    recipe: Recipe,
    sources: OlderSources,
    needed: Callable[[], AppSet],
) -> OlderData:
    """Return the data in `sources`, together with the two functions that a leap and a fall need.

    * `app_set`, which is made here: unpacks the data of a source, and returns the apps to deploy with this data.
    * `needed`, which the caller gives: returns the apps that `recipe` needs, each with the release to deploy.

    `recipes` has all declared recipes, and `have` has all canonicals, both by the recipe's name.
    """

    def app_set(source: DataSource, into: Path) -> AppSet:
        if source in sources.kept:
            return snapshot_app_set(host, sources.kept[source], recipes, into, have)
        return (*needed(), AppSpec(recipe, source.release))

    return OlderData(sources.leaps, sources.fall, sources.unusable, app_set, needed)


def older_data_of_candidate(
    host: Host, fleet: Fleet, observation: Observation, request: TrialRequest, ways: Iterable[WayName]
) -> OlderData | None:
    """Return the data of releases older than the tested one, for a leap and a fall; None if neither is in `ways`.

    Other ways need no such data. `request` is the request for the trial of the tested release. Raise
    InfrastructureError if a signature cannot be checked.
    """
    if not OVER_OLDER_DATA & set(ways):
        return None
    sources = older_sources(host, observation, request.release)
    have = host.registry.read().canonicals
    return older_data(host, fleet.recipes, have, request.recipe, sources, lambda: request.app_set[:-1])


def _source(canonical: Canonical) -> DataSource:
    return DataSource(canonical.version, canonical.commit, canonical.generation)


@frozen
class _Search:
    """Looks for releases of a recipe that are older than `release`."""

    host: Host
    observation: Observation
    release: Release

    @property
    def than(self) -> str | None:
        """Return the version of `release`: every release with a lower version counts as older.

        Return None if `release` has no version, as with a branch: then all releases count as older.
        """
        return self.release.version if is_release_name(self.release.version) else None

    def kept_generations(self) -> Iterator[Canonical]:
        """Yield the stored generations of older releases whose snapshots are intact, the newest first."""
        host, memory, below = self.host, self.observation.memory, self.than
        for each in stored_generations(host, self.observation.recipe.name):
            is_older = below is None or version_key(each.version) < version_key(below)
            if is_older and snapshot_status(host.snapshots, host.state, each, memory).state is State.INTACT:
                yield each

    def newest(self, named: str) -> Release | None:
        """Return the newest older release that `named` means and that may be deployed; None if there is none.

        `named` is the name of a release, or a range of versions; "*" stands for all.
        """
        return newest_older(tags_to_mirror(self.observation), named, self.than, self._may_be_deployed)

    def why_none(self) -> str:
        signed = " whose tag has a good signature" if self.observation.recipe.signed else ""
        return f"it names no known release before {self.release.version}{signed}"

    def _may_be_deployed(self, release: Release) -> bool:
        differs = release.commit != self.release.commit
        return differs and not refused_signature(self.host, self.observation, release)
