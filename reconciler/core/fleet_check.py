"""The check of the fleet folder for `reconcile doctor`: whether a recipe is enrolled, and whether all can be read."""

from collections.abc import Collection, Mapping

from reconciler.core.host_checks import CheckResult, HostCheck

_SHOWN_FILES = 3


def check_fleet(counts: str, enrolled: int, unread: Mapping[str, str], of_recipes: Collection[str]) -> HostCheck:
    """Return the check of the fleet folder.

    * FAILED if no recipe is enrolled, or if a file of a recipe cannot be read: no release of that recipe is tried then.
    * Else a WARNING if another file cannot be read. Only the revision of the fleet is not known then.
    * Else OK.

    * `counts`: a text on how many recipes are declared and enrolled.
    * `enrolled`: the number of enrolled recipes.
    * `unread`: the paths of the files that cannot be read, each with the reason.
    * `of_recipes`: those of these paths that are in the folder of an enrolled recipe.
    """
    if not enrolled:
        return HostCheck("fleet", CheckResult.FAILED, counts, "declare one: recipes/NAME/recipe.toml")
    if not unread:
        return HostCheck("fleet", CheckResult.OK, counts)
    found = f"{counts}; cannot be read: {_named(unread)}"
    if of_recipes:
        return HostCheck("fleet", CheckResult.FAILED, found, "let this user read it: its recipe is not tried")
    return HostCheck("fleet", CheckResult.WARNING, found, "let this user read it, or take it out of the fleet folder")


def _named(unread: Mapping[str, str]) -> str:
    """Return the first of the unread files as text, each with its reason, and how many more there are."""
    named = [f"{path}: {reason}" for path, reason in sorted(unread.items())]
    more = [f"{len(named) - _SHOWN_FILES} more"] if len(named) > _SHOWN_FILES else []
    return "; ".join((*named[:_SHOWN_FILES], *more))
