"""Reads which apps are deployed from the stored generations, and says what makes their images known."""

from collections.abc import Iterator, Mapping, Sequence

from desired.model import Recipe
from reconciler.core.image_prune import StoredApp
from reconciler.core.needs import apps_of
from reconciler.errors import InfrastructureError
from reconciler.ports.driver import SAVED_VOLUMES
from reconciler.ports.host import Host
from reconciler.promotion.generations import stored_generations
from state.records import Canonical, Damaged, Records

_WITH_IMAGES = frozenset({"swarm", "abra"})
_MOST_NAMED = 5


def stored_apps(host: Host, recipes: Mapping[str, Recipe], records: Records) -> tuple[StoredApp, ...]:
    """Return the apps of all stored generations, as the manifests of their snapshots name them.

    `recipes` are the declared recipes. Raise InfrastructureError or SnapshotError if a manifest cannot be read or is
    damaged.
    """
    stored = (generation for name in records.canonicals for generation in stored_generations(host, name))
    return tuple(app for generation in stored for app in _apps(host, recipes, generation))


def _apps(host: Host, recipes: Mapping[str, Recipe], generation: Canonical) -> Iterator[StoredApp]:
    name, number = generation.recipe, generation.generation
    manifest = host.snapshots.manifest(host.state.canonical(name, number), generation.seal)
    if isinstance(manifest, Damaged):
        raise InfrastructureError(f"which apps generation {number} of {name} needs is not known: {manifest.reason}")
    apps = manifest.about.get("apps")
    if not isinstance(apps, Mapping) or not all(isinstance(app, Mapping) and "commit" in app for app in apps.values()):
        raise InfrastructureError(f"the manifest of generation {number} of {name} does not say which apps it needs")
    commits = {app: str(saved["commit"]) for app, saved in apps.items()} | {name: generation.commit}
    folders = {entry.path for entry in manifest.entries if entry.type == "folder"}
    for app, commit in commits.items():
        saved_by_engine = f"{app}/{SAVED_VOLUMES}" in folders
        has_images = recipes[app].driver in _WITH_IMAGES if app in recipes else saved_by_engine
        yield StoredApp(name, number, app, commit, has_images)


def unknown_text(unknown: Sequence[StoredApp], recipes: Mapping[str, Recipe], records: Records) -> str:
    """Return a note which says that images are not pruned, because the images of the apps in `unknown` are not known.

    The note names the generations of these apps, sorted by recipe and number, each with a remedy such as "reconcile
    raise app". If there are more than five generations, it names the first five, and says how many more there are.
    """
    by_generation: dict[tuple[str, int], list[str]] = {}
    for app in unknown:
        by_generation.setdefault((app.recipe, app.generation), []).append(app.app)
    named = [
        f"{name} generation {number} ({_remedy(name, number, apps, recipes, records)})"
        for (name, number), apps in sorted(by_generation.items())
    ]
    more = f", and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
    return f"images are not pruned: those of a generation are not known: {', '.join(named[:_MOST_NAMED])}{more}"


def _remedy(name: str, number: int, unknown: Sequence[str], recipes: Mapping[str, Recipe], records: Records) -> str:
    """Return what a person can do about the unknown images of generation `number` of the recipe `name`.

    * "reconcile raise NAME": the generation is the canonical, and raising it deploys all apps in `unknown`.
    * "reconcile forget NAME --reason WHY": the recipe is not in `recipes`, so it is no longer declared.
    * "until newer ones replace it": no command helps. The images are unknown until newer generations replace this one.

    `unknown` are the apps in the generation's snapshot whose images are not known.
    """
    if name not in recipes:
        return f"reconcile forget {name} --reason WHY"
    newest = number == records.canonicals[name].generation
    if newest and apps_of(recipes[name], recipes).issuperset(unknown):
        return f"reconcile raise {name}"
    return "until newer ones replace it"
