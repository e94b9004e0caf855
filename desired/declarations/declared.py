"""Reads a fleet folder. Returns the fleet that it declares, or reports all problems in it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from attrs import frozen

from desired.declarations.declared_model import fleet_of, recipe_of
from desired.declarations.fleet_tables import FleetFile
from desired.declarations.layers import Layers
from desired.declarations.problems import DeclarationError, Flaw, Problem, quoted
from desired.declarations.recipe_names import is_recipe_name
from desired.declarations.rules import fleet_flaws, needs_flaws, recipe_flaws
from desired.declarations.sources import (
    ALLOWED_SIGNERS,
    KEYS,
    Source,
    file_problem,
    has_keys,
    missing_files,
    read_source,
    recipe_folders,
    unreadable,
)
from desired.declarations.structure import Reading, read_tables
from desired.model import Fleet

FLEET_FILE: Final = "fleet.toml"
RECIPE_FILE: Final = "recipe.toml"
RECIPES: Final = "recipes"


@frozen
class _Files:
    """The files of a fleet folder. A file that could not be read is a Problem, any other a Source.

    * `fleet`: the file `fleet.toml`.
    * `recipes`: the `recipe.toml` of each recipe, by its name and in the order of names.
    * `problems`: files that cannot be read, and invalid names of recipes.
    """

    fleet: Source | Problem
    recipes: Mapping[str, Source | Problem]
    problems: tuple[Problem, ...]


def read_fleet(folder: Path) -> Fleet:
    """Return the fleet that the fleet folder `folder` declares. A fleet may have no recipes.

    If the files have problems, raise DeclarationError with all problems.
    """
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
        *_signed_problems(folder, layers),
    ]
    if problems:
        raise _refused(problems)
    recipes = {name: recipe_of(folder / RECIPES / name, layer.reading.tables) for name, layer in layers.items()}
    return fleet_of(folder, fleet.tables, recipes)


def _refused(problems: list[Problem]) -> DeclarationError:
    """Return the error with `problems`, sorted, and each only once.

    A problem in `[defaults]` is found again for every recipe, and so is in `problems` several times.
    """
    return DeclarationError(sorted(set(problems)))


# ---- files ----


def _read_files(folder: Path) -> _Files:
    """Read all files of a fleet folder. Raise DeclarationError if the folder itself cannot be read."""
    try:
        list(folder.iterdir())
    except OSError as error:
        raise DeclarationError([file_problem(folder, unreadable(error))]) from error
    fleet = read_source(folder / FLEET_FILE)
    folders = list(recipe_folders(folder / RECIPES))
    recipes = {path.name: read_source(path / RECIPE_FILE) for path in folders if isinstance(path, Path)}
    problems = [entry for entry in (fleet, *folders, *recipes.values()) if isinstance(entry, Problem)]
    return _Files(fleet, recipes, (*problems, *_name_problems(folder, recipes)))


def _name_problems(folder: Path, names: Mapping[str, object]) -> Iterator[Problem]:
    """Yield a problem for each name of a recipe folder in `names` that is no valid recipe name."""
    for name in names:
        if not is_recipe_name(name):
            yield file_problem(
                folder / RECIPES / name, "is not a valid recipe name: a-z, 0-9 and -, at most 63 characters"
            )


# ---- problems ----


def _layers(files: _Files, fleet: Source) -> dict[str, Layers]:
    """Return the declaration of each recipe, merged over the defaults of the fleet's file, by the recipe's name.

    Recipes whose file could not be read are left out.
    """
    return {name: Layers.of(own, fleet) for name, own in files.recipes.items() if isinstance(own, Source)}


def _own_problems(layers: Mapping[str, Layers]) -> Iterator[Problem]:
    """Yield the problems of single keys in the recipes' own files, such as an unknown key."""
    for layer in layers.values():
        yield from layer.own_problems()


def _shared_problems(layers: Mapping[str, Layers], fleet: Reading[FleetFile]) -> Iterator[Problem]:
    """Yield the problems of keys that need or exclude each other, in the merged declarations of the recipes.

    `fleet` is the fleet's file, on which some keys of a recipe depend.
    """
    for layer in layers.values():
        yield from layer.placed(recipe_flaws(layer.reading, fleet))


def _needs_problems(layers: Mapping[str, Layers], files: _Files) -> Iterator[Problem]:
    """Yield the problems of the key `needs`: recipes that are not declared, and recipes that need each other."""
    needs = {name: layers[name].reading.tables.install.needs or () for name in layers}
    unreadable_needs = {name: () for name in files.recipes if name not in layers}
    for name, flaw in needs_flaws({**unreadable_needs, **needs}):
        yield from layers[name].placed([flaw])


def _overlay_problems(recipes: Path, layers: Mapping[str, Layers]) -> Iterator[Problem]:
    """Yield a problem for each declared overlay that is no file in the recipe's folder.

    `recipes` is the folder with the folders of all recipes.
    """
    for name, layer in layers.items():
        missing = missing_files(recipes / name, layer.reading.tables.install.overlays or ())
        yield from layer.placed(
            Flaw(("install", "overlays", index), f"names {quoted(file)}, which is no file in {RECIPES}/{name}", meant)
            for index, file, meant in missing
        )


def _signed_problems(folder: Path, layers: Mapping[str, Layers]) -> Iterator[Problem]:
    """Yield a problem for each recipe with `signed = true`, if the fleet folder has no key to check signatures with."""
    signed = [layer for layer in layers.values() if layer.reading.tables.release.signed]
    if signed and not has_keys(folder):
        message = f"is true, which needs a key in {KEYS}/: {ALLOWED_SIGNERS} for SSH keys, NAME.asc for OpenPGP keys"
        for layer in signed:
            yield from layer.placed([Flaw(("release", "signed"), message)])
