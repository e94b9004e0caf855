"""Read a fleet folder: return the fleet that it declares, or report every problem in it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from attrs import asdict, frozen

from desired.declarations.layers import Layers
from desired.declarations.problems import DeclarationError, Flaw, Problem, quoted
from desired.declarations.rules import fleet_flaws, needs_flaws, recipe_flaws
from desired.declarations.sources import Source, file_problem, missing_files, read_source, recipe_folders, unreadable
from desired.declarations.structure import Reading, read_tables
from desired.declarations.tables import FleetFile, RecipeFile
from desired.declarations.values import DIRECT, is_recipe_name
from desired.model import (
    Backup,
    CanonicalPolicy,
    Custom,
    Data,
    Fleet,
    Install,
    Ready,
    Recipe,
    Stop,
    Swarm,
    TierName,
    Upgrade,
)

FLEET_FILE: Final = "fleet.toml"
RECIPE_FILE: Final = "recipe.toml"
RECIPES: Final = "recipes"


@frozen
class _Files:
    """The files of a fleet folder. A file that could not be read is a Problem, any other file a Source.

    `recipes` maps the name of each recipe to its `recipe.toml`, ordered by name. `problems` holds all problems found
    while reading, such as files that cannot be read and invalid names of recipes.
    """

    fleet: Source | Problem
    recipes: Mapping[str, Source | Problem]
    problems: tuple[Problem, ...]


def read_fleet(folder: Path) -> Fleet:
    """Return the fleet of a folder; it may have no recipes. Raise DeclarationError with every problem of every file."""
    files = _read_files(folder)
    if isinstance(files.fleet, Problem):
        # The fleet's file has the defaults. Without them, only the problems within each recipe's file can be found.
        layers = _layers(files, Source(files.fleet.file, "", {}))
        raise _refused([*files.problems, *_own_problems(layers), *_needs_problems(layers, files)])
    fleet = read_tables(FleetFile, files.fleet.document)
    layers = _layers(files, files.fleet)
    problems = [
        *files.problems,
        *files.fleet.problems([*fleet.flaws, *fleet_flaws(fleet)]),
        *_own_problems(layers),
        *_shared_problems(layers, fleet),
        *_needs_problems(layers, files),
        *_overlay_problems(folder / RECIPES, layers),
    ]
    if problems:
        raise _refused(problems)
    recipes = {name: _recipe(folder / RECIPES / name, layer.reading.tables) for name, layer in layers.items()}
    return _fleet(folder, fleet.tables, recipes)


def _refused(problems: list[Problem]) -> DeclarationError:
    """Return an error with these problems, sorted, each once: a problem in `[defaults]` is found for every recipe."""
    return DeclarationError(sorted(set(problems)))


# ---- files ----


def _read_files(folder: Path) -> _Files:
    try:
        list(folder.iterdir())
    except OSError as error:
        raise DeclarationError([file_problem(folder, unreadable(error))]) from error
    fleet = read_source(folder / FLEET_FILE)
    folders = list(recipe_folders(folder / RECIPES))
    recipes = {path.name: read_source(path / RECIPE_FILE) for path in folders if isinstance(path, Path)}
    problems = [each for each in (fleet, *folders, *recipes.values()) if isinstance(each, Problem)]
    return _Files(fleet, recipes, (*problems, *_name_problems(folder, recipes)))


def _name_problems(folder: Path, names: Mapping[str, object]) -> Iterator[Problem]:
    for name in names:
        if not is_recipe_name(name):
            yield file_problem(
                folder / RECIPES / name, "is not a valid recipe name: a-z, 0-9 and -, at most 63 characters"
            )


# ---- problems ----


def _layers(files: _Files, fleet: Source) -> dict[str, Layers]:
    return {name: Layers.of(own, fleet) for name, own in files.recipes.items() if isinstance(own, Source)}


def _own_problems(layers: Mapping[str, Layers]) -> Iterator[Problem]:
    for layer in layers.values():
        yield from layer.own_problems()


def _shared_problems(layers: Mapping[str, Layers], fleet: Reading[FleetFile]) -> Iterator[Problem]:
    for layer in layers.values():
        yield from layer.placed(recipe_flaws(layer.reading, fleet))


def _needs_problems(layers: Mapping[str, Layers], files: _Files) -> Iterator[Problem]:
    needs = {name: layers[name].reading.tables.install.needs or () for name in layers}
    unreadable_needs = {name: () for name in files.recipes if name not in layers}
    for name, flaw in needs_flaws({**unreadable_needs, **needs}):
        yield from layers[name].placed([flaw])


def _overlay_problems(recipes: Path, layers: Mapping[str, Layers]) -> Iterator[Problem]:
    for name, layer in layers.items():
        missing = missing_files(recipes / name, layer.reading.tables.install.overlays or ())
        yield from layer.placed(
            Flaw(("install", "overlays", index), f"names {quoted(file)}, which is no file in {RECIPES}/{name}", meant)
            for index, file, meant in missing
        )


# ---- values ----


def _fleet(folder: Path, tables: FleetFile, recipes: Mapping[str, Recipe]) -> Fleet:
    passes = tables.environment.pass_ or ()
    swarm = Swarm(**{**_given(tables.swarm), "proxy": None if tables.swarm.proxy == DIRECT else tables.swarm.proxy})
    return Fleet(**_given(tables.fleet), folder=folder, recipes=recipes, passes=passes, swarm=swarm)


def _recipe(folder: Path, tables: RecipeFile) -> Recipe:
    return Recipe(
        **_given(tables.recipe),
        **_given(tables.release),
        name=folder.name,
        folder=folder,
        install=Install(**_given(tables.install)),
        ready=_ready(_given(tables.ready)),
        stop=Stop(**_given(tables.stop)),
        data=Data(**_given(tables.data)),
        backup=Backup(**_given(tables.backup)),
        upgrade=Upgrade(**_given(tables.upgrade)),
        tiers={TierName(tier): reason for tier, reason in _given(tables.tiers).items()},
        custom=Custom(**_given(tables.custom)),
        canonical=CanonicalPolicy(**_given(tables.canonical)),
    )


def _ready(given: Mapping[str, Any]) -> Ready:
    """Return the readiness check that a table declares: HTTP, unless it gives `tcp` or `run`."""
    return Ready(**{"http": None, **given}) if {"tcp", "run"} & given.keys() else Ready(**given)


def _given(table: Any) -> dict[str, Any]:  # noqa: ANN401  # one of the attrs classes in tables.py
    """Return the keys that a table gives, with their values. For all other keys, desired.model has the defaults."""
    return asdict(table, recurse=False, filter=lambda _, value: value is not None)
