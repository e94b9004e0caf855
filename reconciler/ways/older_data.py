"""The data of older releases over which ways try a release, and how it is deployed."""

from collections.abc import Callable, Mapping
from pathlib import Path

from attrs import evolve, field, frozen

from reconciler.core.way_cases import DataSource
from reconciler.deploy.app_set import AppSet
from reconciler.errors import CanonError


class OlderReleaseError(CanonError):
    """An older release does not work by itself, so nothing can be tried over its data."""


def _without_data(source: DataSource, into: Path) -> AppSet:
    raise AssertionError(f"nobody knows the data of {source} for {into}")


@frozen
class OlderData:
    """The data of older releases over which a release can be tried.

    * `leaps`: the data over which the way "leap" tries the release: one source for each older release.
    * `fall`: the data over which the way "fall" tries the release; None if there is no older release.
    * `unusable`: for each source in `leaps` that has no commit, why its release cannot be deployed.
    * `app_set`: a function that unpacks the data of a source into the given folder, and returns the app set to deploy.
      For a release that is to be installed fresh, nothing is unpacked.
    * `needed`: a function that returns the apps that the release under test needs, each with the release to deploy.
    """

    leaps: tuple[DataSource, ...] = ()
    fall: DataSource | None = None
    unusable: Mapping[DataSource, str] = field(factory=dict)
    app_set: Callable[[DataSource, Path], AppSet] = _without_data
    needed: Callable[[], AppSet] = tuple


def without_source(app_set: AppSet) -> AppSet:
    """Return the app set without data from snapshots: each app is deployed over the data that it has in the slot."""
    return tuple(evolve(spec, source=None) for spec in app_set)
