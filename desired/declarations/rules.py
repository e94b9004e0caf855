"""Checks the keys of a declaration together: some keys need another key, and some exclude each other."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Final

from attrs import fields

from desired.declarations.fleet_tables import FleetFile
from desired.declarations.notify_rules import notify_flaws
from desired.declarations.problems import Flaw, nearest
from desired.declarations.structure import Reading
from desired.declarations.tables import RecipeFile
from desired.declarations.upstream_urls import protocol_of
from desired.declarations.values import DIRECT
from desired.model import PROTOCOLS, Keep, Recipe

Flaws = Iterator[Flaw]
_REDIRECTS: Final = range(300, 400)


def fleet_flaws(fleet: Reading[FleetFile]) -> Flaws:
    """Yield a flaw for each required key that the fleet's file lacks, and the flaws of `[mirror]` and `[notify]`."""
    if fleet.lacks("format"):
        yield Flaw(("format",), "is missing: write format = 1")
    if fleet.lacks("fleet", "name"):
        yield Flaw(("fleet", "name"), "is missing")
    yield from _push(fleet)
    yield from notify_flaws(fleet)


def _push(fleet: Reading[FleetFile]) -> Flaws:
    """Yield the flaws of `[mirror]`: a `push` by a protocol that is not allowed, a `token` without a push by HTTP."""
    push, allowed = fleet.tables.mirror.push, fleet.tables.fleet.protocols
    protocol = protocol_of(push.replace("{recipe}", "recipe")) if push is not None else None
    known = allowed is not None or not fleet.gives("fleet", "protocols")
    if protocol is not None and known and protocol not in (PROTOCOLS if allowed is None else allowed):
        yield Flaw(("mirror", "push"), f"uses {protocol}, which is not in [fleet] protocols")
    if fleet.tables.mirror.token is not None and protocol not in {"https", "http"}:
        yield Flaw(("mirror", "token"), "is only for a push by https or http")


def recipe_flaws(recipe: Reading[RecipeFile], fleet: Reading[FleetFile]) -> Flaws:
    """Yield a flaw for each required key that is missing, and for keys that need or exclude each other.

    `recipe` is the recipe's declaration, merged over the fleet's defaults.
    """
    yield from _upstream(recipe, fleet)
    yield from _behind_proxy(recipe, fleet)
    for rule in _RULES:
        yield from rule(recipe)


def _upstream(recipe: Reading[RecipeFile], fleet: Reading[FleetFile]) -> Flaws:
    """Yield a flaw if no upstream is declared, or if the fleet does not allow its protocol."""
    if recipe.lacks("recipe", "upstream"):
        yield Flaw(("recipe", "upstream"), "is missing")
    upstream, allowed = recipe.tables.recipe.upstream, fleet.tables.fleet.protocols
    if upstream is None or (allowed is None and fleet.gives("fleet", "protocols")):
        return
    protocol = protocol_of(upstream)
    if protocol not in (PROTOCOLS if allowed is None else allowed):
        yield Flaw(("recipe", "upstream"), f"uses {protocol}, which is not in [fleet] protocols")


def _behind_proxy(recipe: Reading[RecipeFile], fleet: Reading[FleetFile]) -> Flaws:
    """Yield a flaw if the app is behind a proxy, and `status` has the code of a redirect, which the proxy may send."""
    proxied = fleet.tables.swarm.proxy not in {None, DIRECT} and recipe.tables.recipe.driver in {"swarm", "abra"}
    if proxied and any(status in _REDIRECTS for status in recipe.tables.ready.status or ()):
        yield Flaw(("ready", "status"), "counts a redirect, which the proxy of [swarm] may send by itself: use run")


def _exception(recipe: Reading[RecipeFile]) -> Flaws:
    """Yield the flaws of `exception` and `review`.

    A recipe that is not enrolled needs `exception`. An enrolled recipe may have neither of the two.
    """
    enrolled = recipe.tables.recipe.enrolled
    if enrolled is False and recipe.lacks("recipe", "exception"):
        yield Flaw(("recipe", "enrolled"), 'is false, which needs exception = "why"')
    if enrolled or not recipe.gives("recipe", "enrolled"):
        for key in ("exception", "review"):
            if recipe.gives("recipe", key):
                yield Flaw(("recipe", key), "is only for a recipe with enrolled = false")


def _probe(recipe: Reading[RecipeFile]) -> Flaws:
    """Yield flaws if more than one of `http`, `tcp` and `run` is declared, or `status` without `http`."""
    ready = recipe.tables.ready
    probes = {"http": ready.http, "tcp": ready.tcp, "run": ready.run}
    declared = [key for key in recipe.document.get("ready", ()) if probes.get(key) is not None]
    for key in declared[1:]:
        yield Flaw(("ready", key), f"is there beside {declared[0]}: only one of http, tcp and run can be declared")
    if declared and "http" not in declared and recipe.gives("ready", "status"):
        yield Flaw(("ready", "status"), "is only for http")


def _data(recipe: Reading[RecipeFile]) -> Flaws:
    """Yield a flaw if `mark` is declared without `check`."""
    if recipe.gives("data", "mark") and recipe.lacks("data", "check"):
        yield Flaw(("data", "mark"), "needs check, which proves that the mark is still there")


def _backup(recipe: Reading[RecipeFile]) -> Flaws:
    """Yield the flaws of `[backup]`; nothing if neither `take` nor `restore` is declared.

    These are: only one of `take` and `restore` is declared; no `[data] check` can prove a restore.
    """
    declared = [key for key in ("take", "restore") if recipe.gives("backup", key)]
    if declared == ["take"] and recipe.lacks("backup", "restore"):
        yield Flaw(("backup", "take"), "needs restore: a backup counts once it is restored")
    if declared == ["restore"] and recipe.lacks("backup", "take"):
        yield Flaw(("backup", "restore"), "needs take: there is nothing else to restore")
    if declared and recipe.lacks("data", "check"):
        yield Flaw(("backup", declared[0]), "needs [data] check, without which a restore proves nothing")


def _pin(recipe: Reading[RecipeFile]) -> Flaws:
    """Yield a flaw if `base` is pinned without a `reason`, or if there is a `reason` without a pinned `base`."""
    base = recipe.tables.upgrade.base
    if base not in {None, "canonical"} and recipe.lacks("upgrade", "reason"):
        yield Flaw(("upgrade", "base"), 'is pinned, which needs reason = "why"')
    if (base == "canonical" or not recipe.gives("upgrade", "base")) and recipe.gives("upgrade", "reason"):
        yield Flaw(("upgrade", "reason"), "is only for a base that is pinned to a version")


def _driver(recipe: Reading[RecipeFile]) -> Flaws:
    """Yield a flaw for each key that the declared driver does not support; no flaw if the driver is not valid."""
    driver = recipe.tables.recipe.driver or ("" if recipe.gives("recipe", "driver") else fields(Recipe).driver.default)
    if driver != "process":
        return
    if recipe.tables.install.overlays:
        yield Flaw(("install", "overlays"), 'is only for driver = "swarm" or "abra": a Procfile has no overlays')
    if recipe.tables.canonical.keep is Keep.RUNNING:
        yield Flaw(("canonical", "keep"), 'is "running", which is only for driver = "swarm" or "abra"')


def _drift(recipe: Reading[RecipeFile]) -> Flaws:
    """Yield flaws if `ignore` is declared without `reason` or `until`, or one of these two without `ignore`."""
    if recipe.tables.drift.ignore:
        for key in ("reason", "until"):
            if recipe.lacks("drift", key):
                yield Flaw(("drift", "ignore"), f"needs {key}: what is ignored has a reason and an end")
    elif not recipe.gives("drift", "ignore"):
        for key in ("reason", "until"):
            if recipe.gives("drift", key):
                yield Flaw(("drift", key), "is only for differences that are ignored")


def _gates(recipe: Reading[RecipeFile]) -> Flaws:
    """Yield a flaw if ways are declared as `gates` without the `check` that could prove them."""
    if recipe.tables.ways.gates and recipe.lacks("data", "check"):
        yield Flaw(("ways", "gates"), "needs [data] check, without which no way can be proved")


_RULES: Final[Sequence[Callable[[Reading[RecipeFile]], Flaws]]] = (
    _exception,
    _probe,
    _data,
    _backup,
    _pin,
    _driver,
    _drift,
    _gates,
)


def needs_flaws(needs: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, Flaw]]:
    """Yield (NAME, FLAW) for each flaw of a key `needs`. NAME is the recipe that declares the key.

    `needs` maps every declared recipe to the recipes that it needs. A recipe must not need itself or a recipe that is
    not declared. Recipes must not need each other in a circle.
    """
    for name in sorted(needs):
        for index, needed in enumerate(needs[name]):
            if needed == name:
                yield name, Flaw(_need(index), "names the recipe itself")
            elif needed not in needs:
                yield name, Flaw(_need(index), f'names "{needed}", which is not declared', nearest(needed, needs))
    others = {name: {need for need in needs[name] if need in needs and need != name} for name in needs}
    for cycle in _cycles(others):
        name, needed = cycle[0], cycle[1]
        circle = " → ".join([*cycle, name])
        yield name, Flaw(_need(needs[name].index(needed)), f"forms a circle: {circle}")


def _need(index: int) -> tuple[str | int, ...]:
    return "install", "needs", index


def _cycles(needs: Mapping[str, set[str]]) -> Iterator[tuple[str, ...]]:
    """Yield each circle in `needs` as a tuple of recipes. Each recipe needs the next one, and the last needs the first.

    A circle begins with the recipe that is first in the alphabet. After a circle was yielded, one need of the circle is
    ignored, so that the search finds other circles.
    """
    links = {name: sorted(needs[name]) for name in sorted(needs)}
    while True:
        try:
            TopologicalSorter(links).prepare()
        except CycleError as error:
            # graphlib lists what is needed before what needs it, and repeats the first name at the end.
            circle = list(reversed(error.args[1]))[:-1]
            start = circle.index(min(circle))
            cycle = (*circle[start:], *circle[:start])
            yield cycle
            links[cycle[0]].remove(cycle[1])
        else:
            return
