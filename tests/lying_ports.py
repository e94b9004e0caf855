"""Ports that report success but did nothing, or did it to another recipe."""

from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

from attrs import evolve, frozen

from desired.model import Recipe
from reconciler.errors import CanonError, InfrastructureError
from reconciler.ports.app import App, RemovalResult, RunningApp
from reconciler.ports.app_secrets import ProvidedSecrets
from reconciler.ports.commands import CommandResult, RecipeCommand
from reconciler.ports.repositories import Alterations, MirrorRefs, Reply, TagQuery, Unchanged
from state.records import Canonical, Intent, Memory, Records, Seal
from state.snapshots.snapshots import SealedSnapshots
from state.state_errors import RegistryError, SnapshotError, StateError
from tests.port_calls import Call, CarryOut
from tests.world import World
from tests.world_driver import WorldDriver, running_app

OWN, OTHER = "notes", "wiki"
# Port methods that never raise.
NEVER_FAIL = {"mirrors.refs", "upstream.ask"}


@frozen
class DoesNothing:
    """Answers as after success, and does nothing."""

    world: World

    def __call__(self, call: Call, honest: CarryOut) -> object:
        answers: dict[str, Callable[[], object]] = {
            "driver.app_run": honest,
            "driver.changes": nullcontext,
            "driver.clear": RemovalResult,
            "driver.deploy": tuple,
            "driver.leftovers": tuple,
            "driver.logs": tuple,
            "driver.status": lambda: self._up(cast("App", call.args[0])),
            "driver.needs": tuple,
            "driver.remove": RemovalResult,
            "driver.stop": RemovalResult,
            "driver.deployed_parts": dict,
            "commands.missing": tuple,
            "commands.run": lambda: CommandResult(0),
            "mirrors.alterations": Alterations,
            "mirrors.refs": lambda: MirrorRefs("", {}),
            "mirrors.update": frozenset,
            "readiness.wait": lambda: self._awaited(cast("RecipeCommand", call.args[2])),
            "registry.generations": tuple,
            "registry.read": Records,
            "secrets.provide": ProvidedSecrets,
            "snapshots.move": lambda: call.args[2],
            "snapshots.seal": lambda: _seal_of_nothing(*call.args),
            "snapshots.unpack": lambda: _about_alone(*call.args),
            "upstream.ask": lambda: {OWN: Unchanged()},
        }
        return answers.get(call.name, lambda: None)()

    def _up(self, app: App) -> RunningApp:
        """Return the status that the app would have after a successful deployment."""
        return running_app(app, self.world.told[app.folder])

    def _awaited(self, command: RecipeCommand) -> RunningApp:
        """Return the app of a readiness probe. Only the probe's environment names it."""
        folder = next(folder for folder in self.world.told if command.env["APP_RUN"].startswith(f"{folder}/"))
        return self._up(App(folder.name, folder, command.mark))


def _seal_of_nothing(*args: object) -> Seal:
    source, _, about = args
    with TemporaryDirectory() as folder:
        return SealedSnapshots().seal(
            cast("Path", source), Path(folder) / "sealed", cast("Mapping[str, object]", about)
        )


def _about_alone(*args: object) -> object:
    folder, seal, _ = args
    with TemporaryDirectory() as nowhere:
        return SealedSnapshots().unpack(cast("Path", folder), cast("Seal", seal), Path(nowhere) / "unpacked")


@frozen
class RaisesError:
    """Raises the error type of the port, before or after the call is carried out."""

    after: bool

    def __call__(self, call: Call, honest: CarryOut) -> object:
        if self.after:
            honest()
        errors: Mapping[str, type[CanonError | StateError]] = {"registry": RegistryError, "snapshots": SnapshotError}
        raise errors.get(call.port, InfrastructureError)("planted")


@frozen
class ActsOnOtherRecipe:
    """Carries out the call for the other recipe instead of ours, where that is possible."""

    world: World

    def __call__(self, call: Call, honest: CarryOut) -> object:
        looks: dict[str, Callable[[], object]] = {
            "registry.read": lambda: self._records(cast("Records", honest())),
            "upstream.ask": lambda: {OWN: self._others_answer()},
            "snapshots.unpack": lambda: self._unpack_other(cast("Path", call.args[2])),
        }
        if call.name in looks:
            return looks[call.name]()
        with suppress(CanonError, StateError, OSError):
            done = getattr(self._port(call.port), call.method)(*self._swapped(call))
            return done if done is not None else DoesNothing(self.world)(call, honest)
        return DoesNothing(self.world)(call, honest)

    def _port(self, name: str) -> object:
        host = evolve(self.world, wrap=lambda _, port: port).host()
        return WorldDriver(self.world) if name == "driver" else getattr(host, name)

    def _swapped(self, call: Call) -> list[object]:
        """Return the arguments for the other recipe. The source that is moved or deployed stays ours."""
        kept = {"snapshots.move": {0}, "snapshots.seal": {0}, "driver.deploy": {1}, "driver.load": {1}}
        ours = kept.get(call.name, set())
        return [arg if at in ours else self._swap(arg) for at, arg in enumerate(call.args)]

    def _swap(self, value: object) -> object:
        match value:
            case str():
                swapped: object = OTHER if value == OWN else self._commits().get(value, value)
            case Path():
                swapped = _others(value)
            case Recipe():
                swapped = self.world.recipes[OTHER]
            case App():
                swapped = App(OTHER, _others(value.folder), str(_others(Path(value.mark))))
            case RecipeCommand():
                mark = str(_others(Path(value.mark)))
                swapped = evolve(value, mark=mark, env={**value.env, "RECIPE": OTHER})
            case Intent() | Canonical() | Memory():
                swapped = evolve(value, recipe=OTHER)
            case list() | tuple():
                swapped = [self._swap(each) for each in value]
            case _:
                swapped = value
        return swapped

    def _commits(self) -> Mapping[str, str]:
        """Map our commits to the other recipe's commits of the same version."""
        own, other = (self.world.origins[name].tags for name in (OWN, OTHER))
        return {commit: other[tag] for tag, commit in own.items()}

    def _others_answer(self) -> Reply:
        honest = evolve(self.world, wrap=lambda _, port: port).host()
        return honest.upstream.ask([TagQuery(self.world.recipes[OTHER], None)])[OTHER]

    def _records(self, records: Records) -> Records:
        """Return the records with the names of both recipes swapped."""
        names = {OWN: OTHER, OTHER: OWN}
        canonicals = {names[name]: evolve(have, recipe=names[name]) for name, have in records.canonicals.items()}
        return evolve(records, canonicals=canonicals)

    def _unpack_other(self, into: Path) -> object:
        return unpack_recorded(self.world, OTHER, into)


@frozen
class UnpacksRecordedSnapshot:
    """Unpacks the recorded snapshot of our recipe, whichever snapshot was requested."""

    world: World

    def __call__(self, call: Call, _: CarryOut) -> object:
        return unpack_recorded(self.world, OWN, cast("Path", call.args[2]))


def unpack_recorded(world: World, name: str, into: Path) -> object:
    have = world.records().canonicals[name]
    return SealedSnapshots().unpack(world.state.canonical(name, have.generation), have.seal, into)


def _others(path: Path) -> Path:
    return Path(*(OTHER if part == OWN else part for part in path.parts))
