"""Merges a recipe's declaration over the fleet's defaults, and finds the file in which a problem is."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from attrs import evolve, frozen

from desired.declarations.problems import Flaw, Problem
from desired.declarations.sources import Source
from desired.declarations.structure import Reading, read_tables
from desired.declarations.tables import RecipeFile

DEFAULTS: Final = "defaults"

# If a recipe declares the key on the left, it does not get the fleet's defaults of the keys on the right: for example,
# a recipe with `http` must not get the default `tcp`.
_CHOICES: Final[Mapping[tuple[str, str], frozenset[str]]] = {
    ("recipe", "enrolled"): frozenset({"exception", "review"}),
    ("ready", "http"): frozenset({"tcp", "run"}),
    ("ready", "tcp"): frozenset({"http", "run", "status"}),
    ("ready", "run"): frozenset({"http", "tcp", "status"}),
    ("upgrade", "base"): frozenset({"reason"}),
}


@frozen
class Layers:
    """A recipe's declaration, and the two files that give it.

    * `own`: the file of the recipe.
    * `fleet`: the file of the fleet, with the defaults of all recipes.
    * `reading`: the declaration that both files give together.
    """

    own: Source
    fleet: Source
    reading: Reading[RecipeFile]

    @classmethod
    def of(cls, own: Source, fleet: Source) -> "Layers":
        """Return the layers of a recipe's file `own` and the fleet's file. If both have a key, that in `own` counts."""
        merged = merge(_without_replaced(_defaults(fleet), own), own.document)
        return cls(own, fleet, read_tables(RecipeFile, merged))

    def own_problems(self) -> list[Problem]:
        """Return the problems of single keys in the recipe's own file, such as an unknown key."""
        return self.own.problems(flaw for flaw in self.reading.flaws if self.own.has(flaw.path))

    def placed(self, flaws: Iterable[Flaw]) -> list[Problem]:
        """Return `flaws` of the merged declaration as problems, each with its position in the file that has the key.

        If neither file has the key, the problem is one of the recipe's file, where the key is missing.
        """
        own, shared = [], []
        for flaw in flaws:
            default = (DEFAULTS, *flaw.path)
            if self.fleet.has(default) and not self.own.has(flaw.path):
                shared.append(evolve(flaw, path=default))
            else:
                own.append(flaw)
        return self.own.problems(own) + self.fleet.problems(shared)


def merge(defaults: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return both documents merged, table by table. If both have a key, the one in `own` counts."""
    merged = {**defaults, **own}
    for key in defaults.keys() & own.keys():
        if isinstance(defaults[key], dict) and isinstance(own[key], dict):
            merged[key] = merge(defaults[key], own[key])
    return merged


def _defaults(fleet: Source) -> Mapping[str, Any]:
    """Return the table `[defaults]` of the fleet's file; {} if there is none."""
    defaults = fleet.document.get(DEFAULTS)
    return defaults if isinstance(defaults, dict) else {}


def _without_replaced(defaults: Mapping[str, Any], own: Source) -> dict[str, Any]:
    """Return the defaults without those that a key in the recipe's file `own` replaces.

    `_CHOICES` says which keys replace others: a recipe with `http`, for example, does not get the default `tcp`.
    """
    replaced = {(table, key) for (table, lead), keys in _CHOICES.items() if own.has((table, lead)) for key in keys}
    return {
        name: {key: value for key, value in table.items() if (name, key) not in replaced}
        if isinstance(table, dict)
        else table
        for name, table in defaults.items()
    }
