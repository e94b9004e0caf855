"""What recipes need of each other, and which recipes cannot run at the same time. Needs have no cycle."""

from collections.abc import Mapping

from desired.model import Keep, Recipe


def ordered_by_needs(recipes: Mapping[str, Recipe]) -> tuple[str, ...]:
    """Return the names of `recipes` in an order in which each comes after the recipes that it needs.

    Apart from that, the names are sorted. Needed recipes that are not in `recipes` are left out.
    """
    ordered: list[str] = []

    def visit(name: str) -> None:
        if name in ordered or name not in recipes:
            return
        for need in recipes[name].install.needs:
            visit(need)
        ordered.append(name)

    for name in sorted(recipes):
        visit(name)
    return tuple(ordered)


def apps_of(recipe: Recipe, recipes: Mapping[str, Recipe]) -> frozenset[str]:
    """Return the names of the recipe, of the recipes that it needs, of those that these need, and so on."""
    return frozenset({recipe.name}).union(*(apps_of(recipes[name], recipes) for name in recipe.install.needs))


def keeps_running(recipe: Recipe) -> bool:
    """Return whether the recipe's canonical is kept running: it is enrolled, and declares `keep = "running"`."""
    return recipe.enrolled and recipe.canonical.keep is Keep.RUNNING


def conflicting_recipes(recipes: Mapping[str, Recipe], recipe: Recipe) -> tuple[str, ...]:
    """Return the recipes with a kept deployment that share an app with `recipe`; maybe `recipe` itself is among them.

    While `recipe` is tried, these deployments cannot run: the domain and the fixed ports of an app exist only once.
    """
    own = apps_of(recipe, recipes)
    return tuple(name for name, other in recipes.items() if keeps_running(other) and own & apps_of(other, recipes))
