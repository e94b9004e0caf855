"""What recipes need of each other, and which recipes cannot run at the same time. Needs have no cycle."""

from collections.abc import Mapping

from desired.model import Keep, Recipe


def ordered_by_needs(recipes: Mapping[str, Recipe]) -> tuple[str, ...]:
    """Return the names of `recipes` in an order in which each comes after the recipes that it needs.

    Apart from that, the names are sorted. Needed recipes that are not in `recipes` are left out.
    """
    ordered: dict[str, None] = {}  # a dict, since `in` searches a whole list

    def visit(name: str) -> None:
        if name in ordered or name not in recipes:
            return
        for need in recipes[name].install.needs:
            visit(need)
        ordered[name] = None

    for name in sorted(recipes):
        visit(name)
    return tuple(ordered)


def apps_of(recipe: Recipe, recipes: Mapping[str, Recipe]) -> frozenset[str]:
    """Return the names of the recipe, of the recipes that it needs, of those that these need, and so on."""
    return frozenset({recipe.name}).union(*(apps_of(recipes[name], recipes) for name in recipe.install.needs))


def keeps_running(recipe: Recipe) -> bool:
    """Return whether the recipe's canonical is kept running: it is enrolled, and declares `keep = "running"`."""
    return recipe.enrolled and recipe.canonical.keep is Keep.RUNNING


def kept_apps(recipes: Mapping[str, Recipe]) -> dict[str, frozenset[str]]:
    """Map each recipe that is to be kept running to the names of its own app and of all apps that it needs."""
    return {name: apps_of(recipe, recipes) for name, recipe in recipes.items() if keeps_running(recipe)}


def conflicting_recipes(
    recipes: Mapping[str, Recipe], recipe: Recipe, kept: Mapping[str, frozenset[str]] | None = None
) -> tuple[str, ...]:
    """Return the recipes to be kept running that share an app with `recipe`, including `recipe` if it is one of them.

    An app cannot run in a trial and in a kept deployment at the same time: its domain and fixed ports exist only once.
    `kept` maps each recipe to be kept running to its apps. If it is None, it is computed here, which is slow for many
    calls.
    """
    kept = kept_apps(recipes) if kept is None else kept
    own = apps_of(recipe, recipes) if kept else frozenset()
    return tuple(name for name, apps in kept.items() if own & apps)
