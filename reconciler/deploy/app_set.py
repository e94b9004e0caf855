"""Who plays in a slot: a recipe after all that it needs, each at a release, with fresh data or a snapshot's."""

from collections.abc import Mapping
from pathlib import Path

from attrs import evolve

from desired.digest import files_digest
from desired.model import Recipe, Release
from reconciler.core.plan import in_order_of_need
from reconciler.deploy.deploying import AppSet, AppSpec
from reconciler.errors import InfrastructureError
from reconciler.ports.protocols import Host
from state.records import Canonical, Damaged, Seal


class SnapshotDamagedError(InfrastructureError):
    """A sealed snapshot is not what was sealed."""


class NeedMissingError(InfrastructureError):
    """A needed recipe has no release to be raised at."""


def cast_of(
    recipe: Recipe, release: Release, recipes: Mapping[str, Recipe], releases: Mapping[str, Release | None]
) -> AppSet:
    """`recipe` at `release` after everything it needs, each at its entry in `releases`. Raises NeedMissingError."""
    needed = {name: recipes[name] for name in _needs(recipe, recipes)}
    return (
        *(_need(recipe, needed[name], releases.get(name)) for name in in_order_of_need(needed)),
        AppSpec(recipe, release),
    )


def files_of_app_set(cast: AppSet) -> str:
    """The digest of the fleet's folders of all members. Raises OSError."""
    return files_digest({member.recipe.name: member.recipe.folder for member in cast}).whole


def drivers_of(cast: AppSet) -> frozenset[str]:
    return frozenset(member.recipe.driver for member in cast)


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


def canonical_cast(host: Host, canonical: Canonical, cast: AppSet, into: Path) -> AppSet:
    """The cast as it rested in a canonical's snapshot, unpacked at `into`. Raises SnapshotDamagedError."""
    folder = host.state.canonical(canonical.recipe, canonical.generation)
    return app_set_from_snapshot(
        host, folder, canonical.seal, _at(cast, Release(canonical.version, canonical.commit)), into
    )


def rested_whole(
    host: Host, canonical: Canonical, recipes: Mapping[str, Recipe], into: Path, fresh: Mapping[str, Canonical]
) -> AppSet:
    """A canonical with all that it needs, each at the release it had in the snapshot, unpacked at `into`.

    What it needs only since then comes fresh at the release of its canonical in `fresh`.
    Raises SnapshotDamagedError, and NeedMissingError where there is none.
    """
    recipe, nowhere = recipes[canonical.recipe], Release("", "")
    added = {name: Release(have.version, have.commit) for name, have in fresh.items()}
    releases = dict.fromkeys(recipes, nowhere) | added
    wanted = cast_of(recipe, Release(canonical.version, canonical.commit), recipes, releases)
    cast = canonical_cast(host, canonical, wanted, into)
    lacking = [member.recipe.name for member in cast if member.source is None and member.release == nowhere]
    if lacking:
        raise NeedMissingError(f"{recipe.name} needs {lacking[0]} by now, which its canonical's snapshot lacks")
    return cast


def app_set_from_snapshot(host: Host, folder: Path, seal: Seal, cast: AppSet, into: Path) -> AppSet:
    """The cast as it rested when `folder` was sealed, unpacked at `into`; what it needs since then comes fresh.

    Raises SnapshotDamagedError, also where the snapshot is of another recipe or release than the cast's last.
    """
    own = cast[-1]
    about = host.snapshots.unpack(folder, seal, into)
    if isinstance(about, Damaged):
        raise SnapshotDamagedError(f"the snapshot of {own.release.version} is damaged: {about.reason}")
    expected = (own.recipe.name, own.release.version, own.release.commit)
    if (about.get("recipe"), about.get("version"), about.get("commit")) != expected:
        raise SnapshotDamagedError(f"the snapshot of {own.recipe.name} {own.release.version} holds another release")
    apps = about.get("apps")
    rested = apps if isinstance(apps, Mapping) else {}
    return tuple(_as_rested(member, rested.get(member.recipe.name), into) for member in cast)


def _at(cast: AppSet, release: Release) -> AppSet:
    return (*cast[:-1], evolve(cast[-1], release=release))


def _as_rested(member: AppSpec, at: Mapping[str, str] | None, into: Path) -> AppSpec:
    if at is None:
        return evolve(member, source=None)
    return AppSpec(member.recipe, Release(at["version"], at["commit"]), into / member.recipe.name)
