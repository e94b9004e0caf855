"""A world in memory that implements the ports: upstreams, apps, commands, time. Its state folder is a real one."""

import json
import shutil
from collections.abc import Callable, Sequence
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from attrs import Factory, define, evolve, field, frozen

from desired.model import Backup, Custom, Data, Fleet, Recipe
from desired.releases import Signature
from reconciler.core.outcome import Outcome
from reconciler.core.report import Report
from reconciler.core.report import ReportCommand as Verb
from reconciler.ports.app import App, DeployOptions, RunningApp
from reconciler.ports.host import Host
from reconciler.ports.workers import Workers
from reconciler.stages.loop import Pass, reconcile
from reconciler.stages.planning import RunRequest
from reconciler.stages.preview import preview
from state.folder.folder import StateFolder
from state.folder.lock import hold
from state.records import Canonical, Place, Records
from state.registry.registry import SqliteRegistry
from state.snapshots.snapshots import SealedSnapshots
from tests.state_checks import snapshot_contents
from tests.world_driver import WorldDriver, WorldSecrets
from tests.world_mirrors import WorldMirror, WorldMirrors, WorldUpstream, WorldUpstreams
from tests.world_ports import TickingClock, WorldCommands, WorldDisk, WorldProgress, WorldReadiness

Told = Callable[[Outcome], None]
START = datetime(2026, 11, 1, 3, 0, tzinfo=UTC)


def _ignore(_: Outcome) -> None: ...


@frozen
class Behaviour:
    """How a release behaves after deployment. By default it starts, passes its tests and keeps its data."""

    starts: bool = True
    passes_custom: bool = True
    loses_data: bool = False
    writes_into_checkout: bool = False
    # Fails on data on which another release ran, but not when installed fresh.
    breaks_lived: bool = False
    # Fails on its own data in any folder but the first.
    is_bound: bool = False
    # Never ready in time; and the number of the one deployment that is not, counted down, 0 for none.
    slow: bool = False
    slow_in: int = 0
    # Only its first backup contains anything.
    backed_up_once: bool = False
    # Says by labels how it is backed up.
    is_labelled: bool = False
    # How many times it is not up in time after a restore.
    late: int = 0
    # How many times it has to be killed before it stops. Being killed costs it its mark.
    resists: int = 0
    # How long it asks for to become ready.
    patience: timedelta | None = None
    # Ends by itself while it is watched: always, or only over data of another release.
    dies: bool = False
    dies_lived: bool = False


@define
class World:
    """Everything outside the state folder."""

    root: Path
    origins: dict[str, WorldUpstream] = Factory(dict)
    # By commit.
    behaviours: dict[str, Behaviour] = Factory(dict)
    mirrors: dict[str, WorldMirror] = Factory(dict)
    # By the app's folder: the mark and the options of what runs there.
    running: dict[Path, tuple[str, DeployOptions]] = Factory(dict)
    recipes: dict[str, Recipe] = Factory(dict)
    unit: str = ""
    # Tools that this host lacks.
    missing: set[str] = field(factory=set)
    # Free bytes of the disk, and what each trial takes of it.
    free: int = 100 * 1024**3
    taken: int = 1024**2
    # How many bytes the images of each release have. They come with its first deployment, and stay.
    image: int = 0
    # The bytes of the files in any folder.
    written: int = 0
    # Why Docker cannot say where its disk is, "" if it can.
    unmeasured: str = ""
    # What was shown of steps that ended, in order.
    said: list[str] = Factory(list)
    # The signatures of tags, by commit.
    signatures: dict[str, Signature] = Factory(dict)
    now: datetime = START
    passes: int = 0
    commits: int = 0
    # Recipe, version and commit of every deployment, in order.
    deployed: list[tuple[str, str, str]] = Factory(list)
    # The folders of the apps that are killed while they start.
    killed: set[Path] = Factory(set)
    # By the app's folder: the options of its last deployment.
    told: dict[Path, DeployOptions] = Factory(dict)
    # Recipes whose data was saved while they ran.
    restless: list[str] = Factory(list)
    # Why the driver cannot list what is deployed, "" if it can.
    unasked: str = ""
    # What the driver says is missing of each deployment, "" if nothing.
    lacks: str = ""
    # Commits of which a backup was made, in order.
    backed_up: list[str] = Factory(list)
    # Gets each port's name and the port, and returns the port to use.
    wrap: Callable[[str, object], object] = lambda _, port: port

    # ---- building it ----

    @classmethod
    def promoted(cls, root: Path, *names: str) -> "World":
        """Return a world in which a pass has promoted the release 1.0.0 of each of these recipes."""
        world = cls(root)
        for name in names:
            world.declare(name)
            world.tag(name, "1.0.0")
        world.run()
        return world

    def declare(self, name: str, **more: object) -> Recipe:
        """Declare a recipe with every tier; `more` sets other fields."""
        folder = self.root / "fleet" / "recipes" / name
        folder.mkdir(parents=True, exist_ok=True)
        plain = Recipe(
            name=name,
            upstream=f"https://forge.example/{name}.git",
            folder=folder,
            data=Data(("mark",), ("check",)),
            backup=Backup(("take",), ("restore",)),
            custom=Custom((("custom",),)),
        )
        self.recipes[name] = evolve(plain, **more)  # type: ignore[arg-type]  # the caller names fields of a recipe
        self.origins.setdefault(name, WorldUpstream())
        return self.recipes[name]

    def tag(self, name: str, version: str, behaviour: Behaviour | None = None) -> str:
        """Publish a release on a new commit and return the commit. An existing tag of that name moves."""
        commit = self.commit(name)
        self.origins[name].tags[version] = commit
        self.behaviours[commit] = behaviour or Behaviour()
        return commit

    def commit(self, name: str) -> str:
        """Add a commit to main without a tag, and return it."""
        self.commits += 1
        commit = sha256(f"{name} {self.commits}".encode()).hexdigest()[:40]
        self.origins[name].head = commit
        return commit

    def copy(self, root: Path) -> "World":
        """Return a copy of this world, with its folders and running apps moved to `root`."""
        shutil.copytree(self.root, root, dirs_exist_ok=True)
        moved = {
            name: evolve(recipe, folder=root / "fleet" / "recipes" / name) for name, recipe in self.recipes.items()
        }
        running = {
            root / folder.relative_to(self.root): (str(root / Path(mark).relative_to(self.root)), options)
            for folder, (mark, options) in self.running.items()
        }
        return evolve(deepcopy(self), root=root, recipes=moved, running=running)

    @property
    def state(self) -> StateFolder:
        return StateFolder(self.root / "state")

    @property
    def fleet(self) -> Fleet:
        return Fleet("test", self.root / "fleet", dict(sorted(self.recipes.items())), unit=self.unit)

    def host(self) -> Host:
        """Return a host whose ports this world implements, each wrapped by `wrap`."""
        place = Place("shell", self.unit, "tester", "/bin", (), {}, "sha256:here", "sha256:tools")
        ports = {
            "clock": TickingClock(self),
            "upstream": WorldUpstreams(self),
            "mirrors": WorldMirrors(self),
            "secrets": WorldSecrets(),
            "commands": WorldCommands(self),
            "readiness": WorldReadiness(self),
            "registry": SqliteRegistry(self.state.database),
            "snapshots": SealedSnapshots(),
            "progress": WorldProgress(self),
        }
        wrapped = {name: self.wrap(name, port) for name, port in ports.items()}
        return Host(
            drivers={name: self.wrap("driver", WorldDriver(self)) for name in self.drivers},  # type: ignore[misc]  # wrapped
            place=place,
            canon="canon-1",
            fleet="fleet-1",
            state=self.state,
            pass_id=f"pass-{self.passes}",
            disk=WorldDisk(self),
            **wrapped,  # type: ignore[arg-type]  # ports in wrapping
        )

    @property
    def drivers(self) -> set[str]:
        return {recipe.driver for recipe in self.recipes.values()} or {"process"}

    # ---- acting in it ----

    def run(self, *names: str, retry: Sequence[str] = (), workers: Workers | None = None, told: Told = _ignore) -> Pass:
        """Run one pass, and call `told` with each outcome. Without `workers` it tries one recipe after the other."""
        self.passes += 1
        self.state.create()
        fleet = self.fleet
        with hold(self.state.lock, "test"):
            request = RunRequest(fleet, names or tuple(fleet.recipes), Verb.PASS, frozenset(retry))
            return reconcile(self.host(), request, told, workers)

    def look(self, *names: str) -> Report:
        """Do a dry run."""
        fleet = self.fleet
        return preview(self.host(), RunRequest(fleet, names or tuple(fleet.recipes), Verb.PLAN))

    def records(self) -> Records:
        return SqliteRegistry(self.state.database).read()

    def rises(self, canonical: Canonical) -> bool:
        """Whether an app deployed from the snapshot, without any stage, comes up and still has the marked data."""
        with TemporaryDirectory() as folder:
            apps, app = WorldDriver(self), App(canonical.recipe, Path(folder) / "app", folder)
            source, checkout = Path(folder) / "source", Path(folder) / "checkout"
            sealed = self.state.canonical(canonical.recipe, canonical.generation)
            SealedSnapshots().unpack(sealed, canonical.seal, source)
            apps.load(app, source / canonical.recipe)
            WorldMirrors(self).checkout(canonical.recipe, canonical.commit, checkout)
            apps.deploy(app, checkout, DeployOptions(canonical.version, canonical.commit))
            seen = apps.status(app)
            apps.stop(app)
            return isinstance(seen, RunningApp) and bool(json.loads((app.data / "data.json").read_text())["mark"])

    def lived(self, name: str) -> tuple[str, ...]:
        """Return the versions that ran on the data in the canonical's snapshot, as stored in that data."""
        contents = snapshot_contents(self.state, self.records().canonicals[name])
        assert not isinstance(contents, str), contents
        assert contents["mark"]
        return tuple(contents["lived"])
