"""Ways in which a port fails for one recipe."""

from collections.abc import Callable
from pathlib import Path

from reconciler.errors import InfrastructureError
from reconciler.ports.commands import RecipeCommand
from state.state_errors import SnapshotError
from tests.port_calls import Call, CallRecorder, CarryOut

ILL, WELL = "ill", ("after", "well")


# Every method of every port that concerns one recipe, and whether a pass can do without it.
MENDABLE = [
    "driver.leftovers",
    "driver.clear",
    "driver.remove",
    "driver.logs",
    "snapshots.delete",
    "snapshots.delete_sealed",
    "snapshots.has_sealed",
    "progress.step",
    "progress.done",
]
NEEDED = [
    "mirrors.refs",
    "mirrors.update",
    "mirrors.checkout",
    "mirrors.alterations",
    "mirrors.resolve",
    "driver.needs",
    "driver.deploy",
    "driver.status",
    "driver.stop",
    "driver.save",
    "driver.load",
    "driver.app_run",
    "secrets.provide",
    "commands.run",
    "readiness.wait",
    "registry.begin",
    "registry.commit",
    "snapshots.seal",
    "snapshots.move",
    "snapshots.find_damage",
    "snapshots.unpack",
]
FAULTS: dict[str, Callable[[], Exception]] = {
    "host": lambda: InfrastructureError("it is out of order"),
    "disk": lambda: OSError(5, "Input/output error", "/state/some/file"),
    "state": lambda: SnapshotError("it cannot be read"),
    "bug": lambda: AssertionError("nobody thought of this"),
}


def concerns(given: object, name: str) -> bool:
    """Whether an argument of a call is about this recipe."""
    if isinstance(given, list | tuple):
        return any(concerns(each, name) for each in given)
    if isinstance(given, str | Path):
        return name in str(given).split("/")
    if isinstance(given, RecipeCommand):
        return concerns(given.mark, name)
    return name in {getattr(given, "name", None), getattr(given, "recipe", None)}


def failing(method: str, fault: Callable[[], Exception]) -> CallRecorder:
    """Every call of this method that is about the ill recipe fails, in every pass."""

    def answer(call: Call, honest: CarryOut) -> object:
        given = [*call.args, *call.kwargs.values()]
        if call.name == method and any(concerns(each, ILL) for each in given):
            raise fault()
        return honest()

    return CallRecorder(answer, unrecorded=frozenset({"clock"}))
