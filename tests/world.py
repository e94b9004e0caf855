"""A world in memory that answers the ports: upstreams, apps, commands, time. The state folder in it is a real one."""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import TypedDict, cast

from attrs import Factory, define, evolve, field, frozen

from desired.model import Argv, Backup, Custom, Data, Fleet, Install, Ready, Recipe, Unobservable
from reconciler.core.report import Command as Verb
from reconciler.core.report import Report
from reconciler.errors import InfrastructureError
from reconciler.loop import Asked, Pass, preview, reconcile
from reconciler.ports import (
    Absent,
    Alterations,
    App,
    Command,
    Given,
    Host,
    MirrorRefs,
    Question,
    Ran,
    Reply,
    Residue,
    Same,
    SecretNeed,
    Seen,
    Unready,
)
from state.folder import StateFolder
from state.lock import hold
from state.model import Answer, Place, Records
from state.registry import SqliteRegistry
from state.snapshots import SealedSnapshots

START = datetime(2026, 11, 1, 3, 0, tzinfo=UTC)


@frozen
class Behaviour:
    """How a release behaves once deployed. `breaks_lived` fails on data of an older release, not on a fresh install."""

    starts: bool = True
    breaks_lived: bool = False
    loses_data: bool = False
    passes_custom: bool = True
    writes_into_checkout: bool = False
    slow: bool = False


@define
class Origin:
    """One upstream repository."""

    tags: dict[str, str] = Factory(dict)
    head: str = "0" * 40
    down: str = ""

    def answer(self) -> Answer:
        said = json.dumps([self.tags, self.head], sort_keys=True)
        return Answer(sha256(said.encode()).hexdigest(), "main", self.head, dict(self.tags))


@define
class World:
    """Everything outside the state folder. `running` maps an app's folder to what runs there."""

    root: Path
    origins: dict[str, Origin] = Factory(dict)
    behaviours: dict[str, Behaviour] = Factory(dict)
    mirrors: dict[str, tuple[str, dict[str, str]]] = Factory(dict)
    running: dict[Path, tuple[str, Given]] = Factory(dict)
    recipes: dict[str, Recipe] = Factory(dict)
    unit: str = ""
    place_name: str = "here"
    canon: str = "canon-1"
    missing: set[str] = field(factory=set)
    now: datetime = START
    passes: int = 0
    deployed: list[tuple[str, str]] = Factory(list)
    wrap: Callable[[str, object], object] = lambda _, port: port

    # ---- building it ----

    def declare(self, name: str, **more: object) -> Recipe:
        """A recipe with every tier, unless `more` says otherwise."""
        folder = self.root / "fleet" / "recipes" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "recipe.toml").write_text(repr(sorted(more)))
        plain = Recipe(
            name=name,
            upstream=f"https://forge.example/{name}.git",
            folder=folder,
            data=Data(("mark",), ("check",)),
            backup=Backup(("take",), ("restore",)),
            custom=Custom((("custom",),)),
        )
        self.recipes[name] = evolve(plain, **more)  # type: ignore[arg-type]  # the caller names fields of a recipe
        self.origins.setdefault(name, Origin())
        return self.recipes[name]

    def tag(self, name: str, version: str, behaviour: Behaviour | None = None) -> str:
        """Publish a release on a commit of its own; an old tag of that name moves."""
        origin = self.origins[name]
        commit = sha256(f"{name} {version} {len(origin.tags)} {origin.tags.get(version)}".encode()).hexdigest()[:40]
        origin.tags[version] = origin.head = commit
        self.behaviours[commit] = behaviour or Behaviour()
        return commit

    @property
    def state(self) -> StateFolder:
        return StateFolder(self.root / "state")

    @property
    def fleet(self) -> Fleet:
        return Fleet("test", self.root / "fleet", dict(sorted(self.recipes.items())), unit=self.unit)

    def host(self) -> Host:
        """A host whose ports this world answers, each through `wrap`."""
        place = Place("shell", self.unit, "tester", "/bin", (), {}, f"sha256:{self.place_name}", "sha256:tools")
        ports = {
            "clock": Ticking(self),
            "upstream": Upstreams(self),
            "mirrors": MirrorShelf(self),
            "secrets": SecretShelf(),
            "commands": Tests(self),
            "readiness": Watch(self),
            "registry": SqliteRegistry(self.state.database),
            "snapshots": SealedSnapshots(),
            "progress": Silence(),
        }
        wrapped = {name: self.wrap(name, port) for name, port in ports.items()}
        return Host(
            drivers={"process": self.wrap("driver", Apps(self))},  # type: ignore[dict-item]  # a port in wrapping
            place=place,
            canon=self.canon,
            fleet="fleet-1",
            work=self.state.work,
            canonicals=self.state.canonicals,
            logs=self.state.logs,
            pass_id=f"pass-{self.passes}",
            **wrapped,  # type: ignore[arg-type]  # ports in wrapping
        )

    # ---- acting in it ----

    def run(self, *names: str, retry: Sequence[str] = ()) -> Pass:
        """One pass."""
        self.passes += 1
        self.state.create()
        fleet = self.fleet
        with hold(self.state.lock, "test"):
            return reconcile(self.host(), Asked(fleet, names or tuple(fleet.recipes), Verb.PASS, frozenset(retry)))

    def look(self, *names: str) -> Report:
        """A dry run."""
        fleet = self.fleet
        return preview(self.host(), Asked(fleet, names or tuple(fleet.recipes), Verb.PLAN))

    def records(self) -> Records:
        return SqliteRegistry(self.state.database).read()

    def lived(self, name: str) -> tuple[str, ...]:
        """The versions that the data in the canonical's snapshot has been run by, as the data itself tells."""
        have = self.records().canonicals[name]
        into = self.root / "peek"
        shutil.rmtree(into, ignore_errors=True)
        about = SealedSnapshots().unpack(self.state.canonical(name, have.generation), have.seal, into)
        assert isinstance(about, Mapping), about
        data = json.loads((into / name / "data" / "data.json").read_text())
        assert data["mark"]
        return tuple(data["lived"])


@define
class Ticking:
    """Every look at the clock takes a second."""

    world: World

    def now(self) -> datetime:
        self.world.now += timedelta(seconds=1)
        return self.world.now

    def monotonic(self) -> float:
        return (self.now() - START).total_seconds()


@define
class Silence:
    def step(self, recipe: str, doing: str, last_seconds: float | None = None) -> None: ...

    def done(self, recipe: str, said: str) -> None: ...


@define
class Upstreams:
    world: World

    def ask(self, questions: Sequence[Question]) -> Mapping[str, Reply]:
        return {question.recipe.name: self._reply(question) for question in questions}

    def _reply(self, question: Question) -> Reply:
        origin = self.world.origins[question.recipe.name]
        if origin.down:
            return Unobservable(origin.down)
        answer = origin.answer()
        return Same() if answer.digest == question.known else answer


@define
class MirrorShelf:
    world: World

    def look(self, name: str) -> MirrorRefs | Unobservable | None:
        held = self.world.mirrors.get(name)
        return MirrorRefs(held[0], dict(held[1])) if held is not None else None

    def update(self, recipe: Recipe, answer: Answer, tags: Mapping[str, str]) -> frozenset[str]:
        self.world.mirrors[recipe.name] = (answer.head, dict(tags))
        return frozenset()

    def fetch(self, recipe: Recipe, ref: str) -> str | None:
        return self.world.origins[recipe.name].tags.get(ref)

    def resolve(self, name: str, ref: str) -> str | None:
        return self.world.mirrors.get(name, ("", {}))[1].get(ref)

    def checkout(self, name: str, commit: str, into: Path) -> None:
        if commit not in {*self.world.mirrors.get(name, ("", {}))[1].values()}:
            raise InfrastructureError(f"{name}: the mirror lacks {commit}")
        into.mkdir(parents=True)
        (into / "COMMIT").write_text(f"{name} {commit}")

    def alterations(self, name: str, commit: str, folder: Path) -> Alterations:
        kept = (folder / "COMMIT").read_text() == f"{name} {commit}"
        added = tuple(sorted(path.name for path in folder.iterdir() if path.name != "COMMIT"))
        return Alterations(() if kept else ("COMMIT",), added)

    def drop(self, name: str) -> None:
        self.world.mirrors.pop(name, None)


@define
class SecretShelf:
    def provide(
        self, app: App, needs: Sequence[SecretNeed], makers: Mapping[str, Argv], folder: Path, log: Path
    ) -> None:
        app.secrets.mkdir(exist_ok=True)
        for need in needs:
            if not (app.secrets / need.name).exists():
                (app.secrets / need.name).write_text(f"secret of {app.recipe}")


class Contents(TypedDict):
    """What an app keeps: the versions that have run on its data, and whether it was marked."""

    lived: list[str]
    mark: bool


@define
class Apps:
    """Apps that keep {"lived": [versions], "mark": bool} in a file, as a real one would keep its data."""

    world: World

    def needs(self, checkout: Path) -> tuple[SecretNeed, ...]:
        return (SecretNeed("key", 16),)

    def deploy(self, app: App, checkout: Path, given: Given) -> None:
        name, commit = (checkout / "COMMIT").read_text().split()
        behaviour = self.world.behaviours[commit]
        self.world.deployed.append((name, given.version))
        self.world.running.pop(app.folder, None)
        data = self._data(app)
        if behaviour.writes_into_checkout:
            (checkout / "COMMIT").write_text("altered")
        if not behaviour.starts or (behaviour.breaks_lived and data["lived"]):
            return
        lived = data["lived"] if data["lived"][-1:] == [given.version] else [*data["lived"], given.version]
        self._write(app, Contents(lived=lived, mark=data["mark"] and not behaviour.loses_data))
        self.world.running[app.folder] = (app.mark, Given(given.version, commit))

    def _data(self, app: App) -> Contents:
        path = app.data / "data.json"
        return cast("Contents", json.loads(path.read_text())) if path.exists() else Contents(lived=[], mark=False)

    def _write(self, app: App, data: Contents) -> None:
        app.data.mkdir(exist_ok=True)
        (app.data / "data.json").write_text(json.dumps(data))

    def look(self, app: App) -> Seen | Absent | Unobservable:
        found = self.world.running.get(app.folder)
        if found is None:
            return Absent("it ended")
        given = found[1]
        return Seen(given.version, given.commit, settled=True, url=f"http://{app.recipe}", address=f"{app.recipe}:1")

    def stop(self, app: App) -> Residue:
        self.world.running.pop(app.folder, None)
        return Residue()

    def save(self, app: App, into: Path) -> None:
        assert app.folder not in self.world.running, "saved while it runs"
        for part in (app.data, app.secrets):
            shutil.copytree(part, into / part.name)

    def load(self, app: App, source: Path) -> None:
        for part in (app.data, app.secrets):
            shutil.copytree(source / part.name, part)

    def remove(self, app: App) -> Residue:
        self.stop(app)
        shutil.rmtree(app.folder, ignore_errors=True)
        return Residue()

    def leftovers(self, root: Path) -> tuple[str, ...]:
        return tuple(sorted({mark for mark, _ in self.world.running.values() if Path(mark).is_relative_to(root)}))

    def clear(self, mark: str) -> Residue:
        gone = [folder for folder, (own, _) in self.world.running.items() if own == mark]
        for folder in gone:
            del self.world.running[folder]
        return Residue(tuple(folder.name for folder in gone))

    def app_run(self, app: App) -> Path:
        return app.folder / "app-run"


@define
class Tests:
    """The commands of a recipe's tests, by their one word."""

    world: World

    def run(self, command: Command) -> Ran:
        app = Path(command.mark) / command.env["RECIPE"]
        if app not in self.world.running:
            return Ran(1, "it does not run")
        data = json.loads((app / "data" / "data.json").read_text())
        backup = Path(command.env["BACKUP_DIR"]) / "backup.json"
        match command.argv[0]:
            case "mark":
                (app / "data" / "data.json").write_text(json.dumps({**data, "mark": True}))
            case "check":
                return Ran(0) if data["mark"] else Ran(1, "the marked data is gone")
            case "take":
                backup.write_text(json.dumps(data))
            case "restore":
                (app / "data" / "data.json").write_text(backup.read_text())
            case _:
                passes = self.world.behaviours[self.world.running[app][1].commit].passes_custom
                return Ran(0 if passes else 1, "" if passes else "a custom test failed")
        return Ran(0)

    def missing(self, tools: Sequence[str]) -> tuple[str, ...]:
        return tuple(tool for tool in tools if tool in self.world.missing)

    def pressure(self) -> str:
        return "load 0.1"


@define
class Watch:
    world: World

    def wait(
        self, app: App, ready: Ready, look: Callable[[], Seen | Absent | Unobservable], command: Command
    ) -> Seen | Unready:
        seen = look()
        if not isinstance(seen, Seen):
            return Unready(seen.reason)
        slow = self.world.behaviours.get(seen.commit, Behaviour()).slow
        return Unready("no answer yet", timed_out=True) if slow else seen


__all__ = ["Behaviour", "Install", "World"]
