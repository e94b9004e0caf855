"""A recipe's own declaration over the fleet's defaults, and from which of the two something comes."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from attrs import evolve, frozen

from desired.declarations.problems import Flaw, Problem
from desired.declarations.sources import Source
from desired.declarations.structure import Reading, read_tables
from desired.declarations.tables import RecipeFile

DEFAULTS: Final = "defaults"

# A recipe that makes the choice on the left for itself leaves the keys on the right, which belong to another choice.
_CHOICES: Final[Mapping[tuple[str, str], frozenset[str]]] = {
    ("recipe", "enrolled"): frozenset({"exception", "review"}),
    ("ready", "http"): frozenset({"tcp", "run"}),
    ("ready", "tcp"): frozenset({"http", "run", "status"}),
    ("ready", "run"): frozenset({"http", "tcp", "status"}),
    ("upgrade", "base"): frozenset({"reason"}),
}


@frozen
class Layers:
    """One recipe's file, the fleet's file, and what both say of the recipe together."""

    own: Source
    fleet: Source
    reading: Reading[RecipeFile]

    @classmethod
    def of(cls, own: Source, fleet: Source) -> "Layers":
        merged = lay_over(_chosen(_defaults(fleet), own), own.document)
        return cls(own, fleet, read_tables(RecipeFile, merged))

    def own_problems(self) -> list[Problem]:
        """Flaws of what the recipe's file says. Those of the defaults are the fleet's, not each recipe's."""
        return self.own.problems(flaw for flaw in self.reading.flaws if self.own.says(flaw.path))

    def placed(self, flaws: Iterable[Flaw]) -> list[Problem]:
        """Flaws of what both say together, each in the file that says it; what nobody says, the recipe's file lacks."""
        own, shared = [], []
        for flaw in flaws:
            below = (DEFAULTS, *flaw.path)
            if self.fleet.says(below) and not self.own.says(flaw.path):
                shared.append(evolve(flaw, path=below))
            else:
                own.append(flaw)
        return self.own.problems(own) + self.fleet.problems(shared)


def lay_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Both documents as one: key by key, tables in tables too; where both have a key, `above` has it."""
    laid = {**below, **above}
    for key in below.keys() & above.keys():
        if isinstance(below[key], dict) and isinstance(above[key], dict):
            laid[key] = lay_over(below[key], above[key])
    return laid


def _defaults(fleet: Source) -> Mapping[str, Any]:
    defaults = fleet.document.get(DEFAULTS)
    return defaults if isinstance(defaults, dict) else {}


def _chosen(defaults: Mapping[str, Any], own: Source) -> dict[str, Any]:
    """The defaults without what the recipe's own choices leave."""
    left = {(table, key) for (table, lead), keys in _CHOICES.items() if own.says((table, lead)) for key in keys}
    return {
        name: {key: value for key, value in table.items() if (name, key) not in left}
        if isinstance(table, dict)
        else table
        for name, table in defaults.items()
    }
