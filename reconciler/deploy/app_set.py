"""App sets: a recipe and the apps that it needs, each at a release, with fresh data or that of a snapshot."""

from collections.abc import Mapping
from pathlib import Path

from attrs import evolve, frozen

from desired.digest import declaration_digest, files_digest
from desired.model import Recipe
from desired.releases import Release
from reconciler.core.needs import apps_of, ordered_by_needs
from reconciler.deploy.tests_digest import tests_digest
from reconciler.errors import InfrastructureError
from reconciler.ports.app import App
from reconciler.ports.host import Host
from state.records import Canonical, Damaged, Seal


@frozen
class AppSpec:
    """One app of an app set: its recipe, and the release to deploy.

    * `source`: the app's folder in an unpacked snapshot, from which the app gets its data. None to keep the data that
      the app has in the slot; an app that is new in the slot then starts with fresh data.
    * `settings_from`: an app of the same recipe, whose secrets and settings are used; None to make new ones.
    """

    recipe: Recipe
    release: Release
    source: Path | None = None
    settings_from: App | None = None


AppSet = tuple[AppSpec, ...]
"""The apps that a recipe needs, in the order to deploy them, and then the recipe itself."""


class SnapshotDamagedError(InfrastructureError):
    """A snapshot does not match its seal, or is not of the expected release."""


class NeedMissingError(InfrastructureError):
    """A recipe needs another recipe that has no release to deploy, or none that may be deployed."""


def make_app_set(
    recipe: Recipe, release: Release, recipes: Mapping[str, Recipe], releases: Mapping[str, Release | None]
) -> AppSet:
    """Return the app set of `recipe` at `release`: first the apps of the recipes that it needs, last its own.

    * `recipes`: all recipes, by name.
    * `releases`: the release to deploy of each needed recipe, by name; None if it has neither a canonical nor a release
      that may be deployed. A recipe that has no canonical, and at whose releases nobody looked, is not in it.

    No app gets data from a snapshot. Raise NeedMissingError if `releases` has no release of a needed recipe.
    """
    needed = {name: recipes[name] for name in apps_of(recipe, recipes) - {recipe.name}}
    return (
        *(_spec_of_need(recipe, needed[name], releases) for name in ordered_by_needs(needed)),
        AppSpec(recipe, release),
    )


def app_set_digest(app_set: AppSet) -> str:
    """Return one digest of all files in the fleet folders of the app set's recipes.

    Raise OSError if a file cannot be read.
    """
    return files_digest({spec.recipe.name: spec.recipe.folder for spec in app_set}).whole


def app_set_tests(app_set: AppSet, test_files: str) -> str:
    """Return the digest of what the fleet and the releases of needs in `app_set` contribute to a verdict on its recipe.

    `test_files` is the digest of the fleet folders of the app set's recipes, without the files `recipe.toml`.
    """
    declared = {spec.recipe.name: declaration_digest(spec.recipe) for spec in app_set}
    return tests_digest(test_files, declared, {spec.recipe.name: spec.release.commit for spec in app_set[:-1]})


def drivers_of(app_set: AppSet) -> frozenset[str]:
    """Return the names of the drivers that deploy the app set."""
    return frozenset(spec.recipe.driver for spec in app_set)


def _spec_of_need(needed_by: Recipe, need: Recipe, releases: Mapping[str, Release | None]) -> AppSpec:
    """Return the app of the recipe `need` at its release in `releases`, with fresh data.

    `needed_by` is the recipe that needs the app. Raise NeedMissingError if `releases` has no release of `need`. The
    error names both recipes.
    """
    if (release := releases.get(need.name)) is not None:
        return AppSpec(need, release)
    lacks = "has no canonical: reconcile -r"
    if need.name in releases:
        lacks = "has neither a canonical nor a release that may be deployed: reconcile explain"
    raise NeedMissingError(f"{needed_by.name} needs {need.name}, which {lacks} {need.name}")


def canonical_app_set(host: Host, canonical: Canonical, app_set: AppSet, into: Path) -> AppSet:
    """Unpack the snapshot of a canonical into the folder `into`. Return `app_set` with the saved releases and data.

    A needed app that is not in the snapshot keeps its release in `app_set`, and gets fresh data. Raise
    SnapshotDamagedError if the snapshot is damaged.
    """
    folder = host.state.canonical(canonical.recipe, canonical.generation)
    return app_set_from_snapshot(
        host, folder, canonical.seal, _with_release(app_set, Release(canonical.version, canonical.commit)), into
    )


def snapshot_app_set(
    host: Host, canonical: Canonical, recipes: Mapping[str, Recipe], into: Path, canonicals: Mapping[str, Canonical]
) -> AppSet:
    """Unpack the snapshot of a canonical into the folder `into`. Return the app set to deploy, with the unpacked data.

    * `recipes`: all recipes, by name.
    * `canonicals`: all canonicals, by recipe.

    An app that the recipe came to need after the snapshot was made is not in the snapshot. Such an app gets the release
    of its own canonical, and fresh data. If it has no canonical, raise NeedMissingError. If the snapshot is damaged,
    raise SnapshotDamagedError.
    """
    recipe, unknown = recipes[canonical.recipe], Release("", "")
    added = {name: Release(have.version, have.commit) for name, have in canonicals.items()}
    releases = dict.fromkeys(recipes, unknown) | added
    wanted = make_app_set(recipe, Release(canonical.version, canonical.commit), recipes, releases)
    app_set = canonical_app_set(host, canonical, wanted, into)
    lacking = [spec.recipe.name for spec in app_set if spec.source is None and spec.release == unknown]
    if lacking:
        raise NeedMissingError(f"{recipe.name} now needs {lacking[0]}, which is not in its canonical's snapshot")
    return app_set


def app_set_from_snapshot(host: Host, folder: Path, seal: Seal, app_set: AppSet, into: Path) -> AppSet:
    """Unpack the snapshot in `folder` into the folder `into`. Return `app_set` with the snapshot's releases and data.

    A needed app that is not in the snapshot keeps its release in `app_set`, and gets fresh data. Raise
    SnapshotDamagedError if the snapshot does not match `seal`. Raise it also if the snapshot is of another recipe or
    release than the last app in `app_set`, which is the app of the recipe itself.
    """
    own = app_set[-1]
    about = host.snapshots.unpack(folder, seal, into)
    if isinstance(about, Damaged):
        raise SnapshotDamagedError(f"the snapshot of {own.release.version} is damaged: {about.reason}")
    expected = (own.recipe.name, own.release.version, own.release.commit)
    if (about.get("recipe"), about.get("version"), about.get("commit")) != expected:
        raise SnapshotDamagedError(f"the snapshot of {own.recipe.name} {own.release.version} holds another release")
    apps = about.get("apps")
    saved = apps if isinstance(apps, Mapping) else {}
    return tuple(_as_saved(spec, saved.get(spec.recipe.name), into) for spec in app_set)


def _with_release(app_set: AppSet, release: Release) -> AppSet:
    return (*app_set[:-1], evolve(app_set[-1], release=release))


def _as_saved(spec: AppSpec, release: Mapping[str, str] | None, unpacked: Path) -> AppSpec:
    """Return the app of `spec` with the release and the data that the app has in a snapshot.

    * `release`: the "version" and "commit" of the app in the snapshot. None if the snapshot lacks the app: then return
      `spec` without saved data.
    * `unpacked`: the folder into which the snapshot was unpacked.
    """
    if release is None:
        return evolve(spec, source=None)
    return AppSpec(spec.recipe, Release(release["version"], release["commit"]), unpacked / spec.recipe.name)
