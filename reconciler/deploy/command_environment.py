"""Makes the commands of a recipe's tests, with their environment variables."""

from desired.model import Argv, Recipe
from reconciler.deploy.slot import DeployedApp, Slot
from reconciler.errors import InfrastructureError
from reconciler.ports.app import RunningApp
from reconciler.ports.commands import RecipeCommand


def make_command(slot: Slot, deployed: DeployedApp, argv: Argv, status: RunningApp | None) -> RecipeCommand:
    """Return a command of a recipe's tests with its environment, folder, log and deadline. Do not run it.

    * `deployed`: the recipe's app, against which the command is to run.
    * `argv`: the program and its arguments.
    * `status`: the app's status, from which the variables URL and ADDRESS come. None to leave both unset.

    Raise InfrastructureError if an app that the recipe needs no longer runs.
    """
    recipe, release = deployed.recipe, deployed.release
    environment = {
        **needs_environment(slot, recipe),
        **recipe.install.env,
        "HOME": str(slot.folder / "home"),
        "TMPDIR": str(slot.folder / "tmp"),
        "RECIPE": recipe.name,
        "VERSION": release.version,
        "COMMIT": release.commit,
        "BACKUP_DIR": str(slot.backup),
        "APP_RUN": str(deployed.driver.app_run(deployed.app)),
    }
    if slot.mark_id:
        environment["MARK_ID"] = slot.mark_id
    if status is not None:
        environment |= {"URL": status.url, "ADDRESS": status.address}
    deadline = recipe.custom.timeout if argv in recipe.custom.run else recipe.ready.within()
    return RecipeCommand(argv, slot.tests_of(recipe), environment, deadline, slot.log, slot.mark)


def needs_environment(slot: Slot, recipe: Recipe) -> dict[str, str]:
    """Return environment variables with the addresses of the apps that the recipe needs.

    For a needed app `accounts`, the variables are ACCOUNTS_URL, ACCOUNTS_ADDRESS, and ACCOUNTS_PEER, which is the
    address for other apps of the slot. Raise InfrastructureError if a needed app no longer runs, because the recipe is
    not to blame for that.
    """
    environment: dict[str, str] = {}
    for need in recipe.install.needs:
        status = slot.apps[need].driver.status(slot.apps[need].app)
        if not isinstance(status, RunningApp):
            raise InfrastructureError(f"{recipe.name} needs {need}, which no longer runs: {status.reason}")
        prefix = need.upper().replace("-", "_")
        environment[f"{prefix}_URL"] = status.url
        environment |= {f"{prefix}_ADDRESS": status.address, f"{prefix}_PEER": status.peer}
    return environment
