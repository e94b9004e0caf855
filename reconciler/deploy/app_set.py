"""Who plays in a slot: a recipe after all that it needs, each at a release, with fresh data or a snapshot's."""

from collections.abc import Mapping
from pathlib import Path

from attrs import evolve

from desired.digest import files_digest
from desired.model import Recipe, Release
from reconciler.core.plan import ordered_by_needs
from reconciler.deploy.deploying import AppSet, AppSpec
from reconciler.errors import InfrastructureError
from reconciler.ports.host import Host
from state.records import Canonical, Damaged, Seal


class SnapshotDamagedError(InfrastructureError):
    """A sealed snapshot is not what was sealed."""


class NeedMissingError(InfrastructureError):
    """A needed recipe has no release to be raised at."""


def make_app_set(
    recipe: Recipe, release: Release, recipes: Mapping[str, Recipe], releases: Mapping[str, Release | None]
) -> AppSet:
    """`recipe` at `release` after everything it needs, each at its entry in `releases`. Raises NeedMissingError."""
    needed = {name: recipes[name] for name in _needs(recipe, recipes)}
    return (
        *(_need(recipe, needed[name], releases.get(name)) for name in ordered_by_needs(needed)),
        AppSpec(recipe, release),
    )


def files_of_app_set(app_set: AppSet) -> str:
    """The digest of the fleet's folders of all members. Raises OSError."""
    return files_digest({member.recipe.name: member.recipe.folder for member in app_set}).whole


def drivers_of(app_set: AppSet) -> frozenset[str]:
    return frozenset(member.recipe.driver for member in app_set)


def apps_of(recipe: Recipe, recipes: Mapping[str, Recipe]) -> frozenset[str]:
    """Itself and all that it needs."""
    return frozenset({recipe.name, *_needs(recipe, recipes)})


def _needs(recipe: Recipe, recipes: Mapping[str, Recipe]) -> frozenset[str]:
    direct = frozenset(recipe.install.needs)
    return direct.union(*(_needs(recipes[name], recipes) for name in direct))


def _need(whose: Recipe, need: Recipe, release: Release | None) -> AppSpec:
    if release is None:
        raise NeedMissingError(f"{whose.name} needs {need.name}, which has neither a canonical nor a release")
    return AppSpec(need, release)


def canonical_app_set(host: Host, canonical: Canonical, app_set: AppSet, into: Path) -> AppSet:
    """The app set as it rested in a canonical's snapshot, unpacked at `into`. Raises SnapshotDamagedError."""
    folder = host.state.canonical(canonical.recipe, canonical.generation)
    return app_set_from_snapshot(
        host, folder, canonical.seal, _at(app_set, Release(canonical.version, canonical.commit)), into
    )


def snapshot_app_set(
    host: Host, canonical: Canonical, recipes: Mapping[str, Recipe], into: Path, fresh: Mapping[str, Canonical]
) -> AppSet:
    """A canonical with all that it needs, each at the release it had in the snapshot, unpacked at `into`.

    What it needs only since then comes fresh at the release of its canonical in `fresh`.
    Raises SnapshotDamagedError, and NeedMissingError where there is none.
    """
    recipe, nowhere = recipes[canonical.recipe], Release("", "")
    added = {name: Release(have.version, have.commit) for name, have in fresh.items()}
    releases = dict.fromkeys(recipes, nowhere) | added
    wanted = make_app_set(recipe, Release(canonical.version, canonical.commit), recipes, releases)
    app_set = canonical_app_set(host, canonical, wanted, into)
    lacking = [member.recipe.name for member in app_set if member.source is None and member.release == nowhere]
    if lacking:
        raise NeedMissingError(f"{recipe.name} needs {lacking[0]} by now, which its canonical's snapshot lacks")
    return app_set


def app_set_from_snapshot(host: Host, folder: Path, seal: Seal, app_set: AppSet, into: Path) -> AppSet:
    """The app set as it rested when `folder` was sealed, unpacked at `into`; what it needs since then comes fresh.

    Raises SnapshotDamagedError, also where the snapshot is of another recipe or release than the app set's last.
    """
    own = app_set[-1]
    about = host.snapshots.unpack(folder, seal, into)
    if isinstance(about, Damaged):
        raise SnapshotDamagedError(f"the snapshot of {own.release.version} is damaged: {about.reason}")
    expected = (own.recipe.name, own.release.version, own.release.commit)
    if (about.get("recipe"), about.get("version"), about.get("commit")) != expected:
        raise SnapshotDamagedError(f"the snapshot of {own.recipe.name} {own.release.version} holds another release")
    apps = about.get("apps")
    rested = apps if isinstance(apps, Mapping) else {}
    return tuple(_as_rested(member, rested.get(member.recipe.name), into) for member in app_set)


def _at(app_set: AppSet, release: Release) -> AppSet:
    return (*app_set[:-1], evolve(app_set[-1], release=release))


def _as_rested(member: AppSpec, at: Mapping[str, str] | None, into: Path) -> AppSpec:
    if at is None:
        return evolve(member, source=None)
    return AppSpec(member.recipe, Release(at["version"], at["commit"]), into / member.recipe.name)
