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
    """The older data that there is for a release.

    * `leaps`: the data over which a leap tries the release. `fall`: that over which a fall does; None for none.
    * `unusable`: why there is no release for a source of `leaps` without a commit.
    * `app_set`: unpacks the data of a source into the given folder, and returns the app set in it. A release that is to
      be installed fresh has no data there.
    * `needed`: returns the apps that the release needs, each at the release at which it is deployed beside it.
    """

    leaps: tuple[DataSource, ...] = ()
    fall: DataSource | None = None
    unusable: Mapping[DataSource, str] = field(factory=dict)
    app_set: Callable[[DataSource, Path], AppSet] = _without_data
    needed: Callable[[], AppSet] = tuple


def without_source(app_set: AppSet) -> AppSet:
    """Return the app set with each app to be deployed over the data that it has in the slot."""
    return tuple(evolve(spec, source=None) for spec in app_set)
