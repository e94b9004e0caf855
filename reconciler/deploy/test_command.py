"""A command of a recipe's tests, with the whole environment that these are promised."""

from desired.model import Argv, Recipe
from reconciler.deploy.slot import PlacedApp, Slot
from reconciler.errors import InfrastructureError
from reconciler.ports.app import RunningApp
from reconciler.ports.commands import RecipeCommand


def command(slot: Slot, placed: PlacedApp, argv: Argv, seen: RunningApp | None) -> RecipeCommand:
    """A command with the whole environment that a recipe's tests are promised."""
    recipe, release = placed.recipe, placed.release
    environment = {
        **needs_environment(slot, recipe),
        **recipe.install.env,
        "HOME": str(slot.folder / "home"),
        "TMPDIR": str(slot.folder / "tmp"),
        "RECIPE": recipe.name,
        "VERSION": release.version,
        "COMMIT": release.commit,
        "BACKUP_DIR": str(slot.backup),
        "APP_RUN": str(placed.driver.app_run(placed.app)),
    }
    if seen is not None:
        environment |= {"URL": seen.url, "ADDRESS": seen.address}
    deadline = recipe.custom.timeout if argv in recipe.custom.run else recipe.ready.within()
    return RecipeCommand(argv, slot.tests_of(recipe), environment, deadline, slot.log, slot.mark)


def needs_environment(slot: Slot, recipe: Recipe) -> dict[str, str]:
    """Where each needed app answers: for `accounts`, ACCOUNTS_URL and _ADDRESS, and _PEER for other apps.

    Raises InfrastructureError for one that no longer runs: who needs it is not to blame.
    """
    found: dict[str, str] = {}
    for need in recipe.install.needs:
        seen = slot.placed[need].driver.look(slot.placed[need].app)
        if not isinstance(seen, RunningApp):
            raise InfrastructureError(f"{recipe.name} needs {need}, which no longer runs: {seen.reason}")
        prefix = need.upper().replace("-", "_")
        found |= {f"{prefix}_URL": seen.url, f"{prefix}_ADDRESS": seen.address, f"{prefix}_PEER": seen.peer}
    return found
