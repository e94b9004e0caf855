"""A readiness check that makes few and short pauses."""

from datetime import timedelta

from reconciler.host.command_runner import HostCommands, SystemClock
from reconciler.host.readiness.wait import HostReadiness
from reconciler.ports.app import App
from reconciler.ports.commands import RecipeCommand
from tests.procfile_apps import ENVIRONMENT

SOON = timedelta(seconds=30)
AT_ONCE = timedelta(seconds=0.6)


def probe(app: App) -> RecipeCommand:
    folder = app.folder.parent
    return RecipeCommand(("true",), folder, {"RECIPE": app.recipe}, SOON, folder / "probe.log", app.mark)


def readiness(app: App) -> HostReadiness:
    return HostReadiness(HostCommands(ENVIRONMENT, app.folder.parent), SystemClock())
