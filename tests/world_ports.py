"""Implements the ports of a host with a world in memory."""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, cast

from attrs import define, evolve

from desired.model import Ready, Recipe, Unobservable
from reconciler.errors import InfrastructureError, TimedOutError, killed_error
from reconciler.host.readiness.liveness import ended_since
from reconciler.ports.app import (
    App,
    AppStatus,
    DeployedParts,
    DeployOptions,
    EndedPart,
    NotRunning,
    RemovalResult,
    RunningApp,
    Unready,
)
from reconciler.ports.app_secrets import ProvidedSecrets, SecretMakers, SecretNeed
from reconciler.ports.commands import CommandResult, RecipeCommand
from reconciler.ports.driver import Changes
from reconciler.ports.repositories import Alterations, MirrorRefs, MirrorUpdate, Reply, TagQuery, Unchanged
from state.records import Answer

if TYPE_CHECKING:
    from tests.world import Behaviour, World


@define
class TickingClock:
    """A clock that goes on by a second whenever it is read."""

    world: "World"

    def now(self) -> datetime:
        self.world.now += timedelta(seconds=1)
        return self.world.now

    def monotonic(self) -> float:
        return self.now().timestamp()


@define
class WorldProgress:
    def step(self, recipe: str, doing: str, last_seconds: float | None = None) -> None: ...

    def done(self, recipe: str, result: str) -> None: ...


@define
class WorldUpstreams:
    world: "World"

    def ask(self, questions: Sequence[TagQuery]) -> Mapping[str, Reply]:
        return {question.recipe.name: self._reply(question) for question in questions}

    def _reply(self, question: TagQuery) -> Reply:
        origin = self.world.origins[question.recipe.name]
        if origin.down:
            return Unobservable(origin.down)
        answer = origin.answer()
        return Unchanged() if answer.digest == question.known else answer


@define
class WorldMirror:
    """The contents of one mirror. `objects` are all commits ever fetched: git keeps them when a tag moves.

    `broken` is why the mirror cannot be read, "" if it can.
    """

    head: str
    tags: dict[str, str]
    objects: set[str]
    broken: str = ""


@define
class WorldMirrors:
    world: "World"

    def refs(self, name: str) -> MirrorRefs | Unobservable | None:
        held = self.world.mirrors.get(name)
        if held is not None and held.broken:
            return Unobservable(held.broken)
        return MirrorRefs(held.head, dict(held.tags)) if held is not None else None

    def update(self, recipe: Recipe, answer: Answer, tags: Mapping[str, str]) -> MirrorUpdate:
        """Fetch tags by name. One that upstream no longer has at that commit stays as it was.

        A damaged mirror is moved away, and replaced by a new one.
        """
        before = self.world.mirrors.get(recipe.name, WorldMirror("", {}, set()))
        broken_copy = Path(f"/laid-aside/{recipe.name}") if before.broken else None
        before = WorldMirror("", {}, set()) if before.broken else before
        fetched = {tag: commit for tag, commit in tags.items() if answer.tags.get(tag) == commit}
        kept = {tag: before.tags[tag] for tag in tags if tag in before.tags} | fetched
        self.world.mirrors[recipe.name] = WorldMirror(answer.head, kept, before.objects | {*kept.values(), answer.head})
        return MirrorUpdate(broken_copy=broken_copy)

    def fetch(self, recipe: Recipe, ref: str) -> str | None:
        return self.world.origins[recipe.name].tags.get(ref)

    def resolve(self, name: str, ref: str) -> str | None:
        held = self.world.mirrors.get(name, WorldMirror("", {}, set()))
        return ref if ref in held.objects else held.tags.get(ref)

    def checkout(self, name: str, commit: str, into: Path) -> None:
        held = self.world.mirrors.get(name)
        if held is None or commit not in held.objects:
            raise InfrastructureError(f"{name}: the mirror lacks {commit}")
        into.mkdir(parents=True)
        (into / "COMMIT").write_text(f"{name} {commit}")

    def alterations(self, name: str, commit: str, folder: Path) -> Alterations:
        tracked = folder / "COMMIT"
        kept = tracked.is_file() and tracked.read_text() == f"{name} {commit}"
        there = folder.iterdir() if folder.is_dir() else ()
        added = tuple(sorted(path.name for path in there if path.name != "COMMIT"))
        return Alterations(() if kept else ("COMMIT",), added)

    def recover(self) -> None:
        """Do nothing: an interrupted update of these mirrors leaves no files."""

    def drop(self, name: str) -> None:
        self.world.mirrors.pop(name, None)


@define
class WorldSecrets:
    def provide(self, app: App, needs: Sequence[SecretNeed], makers: SecretMakers, log: Path) -> ProvidedSecrets:
        app.secrets.mkdir(exist_ok=True)
        for need in needs:
            if not (app.secrets / need.name).exists():
                new = f"secret of {app.recipe} for {app.folder.parent.name}"
                made = (makers.existing / need.name).read_text() if makers.existing else new
                (app.secrets / need.name).write_text(made)
        asked = {need.name for need in needs}
        return ProvidedSecrets(unused_makers=tuple(name for name in makers.commands if name not in asked))


SETTING = "setting"
"""The file among an app's secrets that holds its setting."""


class AppContents(TypedDict):
    """The data of an app: the versions that ran on it, whether it was marked, what ran last, and where first.

    `key` is the secret and `setting` the setting of the installation. Without both the data cannot be read.
    """

    lived: list[str]
    mark: bool
    last: str
    place: str
    key: str
    setting: str


@define
class WorldDriver:
    """A driver whose apps keep their `AppContents` in a file, as a real app keeps its data."""

    world: "World"
    programs: tuple[str, ...] = ()

    def needs(self, app: App, checkout: Path, options: DeployOptions) -> tuple[SecretNeed, ...]:
        return (SecretNeed("key", 16),)

    def deploy(self, app: App, checkout: Path, options: DeployOptions) -> tuple[str, ...]:
        name, commit = (checkout / "COMMIT").read_text().split()
        behaviour = self.world.behaviours[commit]
        self.world.deployed.append((name, options.version, commit))
        killed = self.stop(app).killed
        self.world.told[app.folder] = options
        if killed:
            raise killed_error(name, killed)
        data = self._data(app)
        if behaviour.writes_into_checkout:
            (checkout / "COMMIT").write_text("altered")
        own, place, key = f"{options.version} {commit}", str(app.folder), (app.secrets / "key").read_text()
        setting = self._installed_with(app, options)
        if not behaviour.starts or data["key"] not in {"", key} or _breaks(behaviour, data, own, place):
            return ()
        if data["last"] != own:
            lived, first = [*data["lived"], options.version], data["setting"] or setting
            data = AppContents(lived=lived, mark=data["mark"], last=own, place=place, key=key, setting=first)
        data["mark"] = data["mark"] and not behaviour.loses_data
        self._write(app, data)
        self.world.running[app.folder] = (app.mark, DeployOptions(options.version, commit))
        return ()

    def _installed_with(self, app: App, options: DeployOptions) -> str:
        """Return the setting that its users have: they copied it from the release that they installed."""
        had = [
            each.secrets / SETTING for each in (app, options.sample_from) if each and (each.secrets / SETTING).exists()
        ]
        setting = had[0].read_text() if had else f"as in {options.version}"
        (app.secrets / SETTING).write_text(setting)
        return setting

    def _data(self, app: App) -> AppContents:
        path = app.data / "data.json"
        empty = AppContents(lived=[], mark=False, last="", place="", key="", setting="")
        return cast("AppContents", json.loads(path.read_text())) if path.exists() else empty

    def _write(self, app: App, data: AppContents) -> None:
        app.data.mkdir(exist_ok=True)
        (app.data / "data.json").write_text(json.dumps(data))

    def status(self, app: App) -> AppStatus:
        found = self.world.running.get(app.folder)
        if found is None:
            return NotRunning("it ended")
        return evolve(running_app(app, found[1]), timeout=self.world.behaviours[found[1].commit].patience)

    def changes(self, _: App) -> AbstractContextManager[None]:
        return nullcontext()

    def logs(self, app: App) -> tuple[str, ...]:
        return tuple(path.read_text() for path in sorted(app.logs.glob("*")))

    def stop(self, app: App) -> RemovalResult:
        if self.world.running.pop(app.folder, None) is None:
            return RemovalResult()
        behaviour = self._behaviour(app)
        if not behaviour.resists:
            return RemovalResult()
        self.world.behaviours[self.world.told[app.folder].commit] = evolve(behaviour, resists=behaviour.resists - 1)
        self._write(app, AppContents(**{**self._data(app), "mark": False}))
        return RemovalResult(killed=("app (10 s)",))

    def save(self, app: App, into: Path) -> None:
        if app.folder in self.world.running:
            self.world.restless.append(app.recipe)
        for part in (app.data, app.secrets):
            shutil.copytree(part, into / part.name)

    def load(self, app: App, source: Path) -> None:
        for part in (app.data, app.secrets):
            shutil.copytree(source / part.name, part)

    def backs_up(self, app: App) -> bool:
        return self._behaviour(app).is_labelled

    def backup(self, app: App, into: Path) -> tuple[str, ...]:
        (into / "backup.json").write_text(json.dumps(self._data(app)))
        return ()

    def restore(self, app: App, source: Path, within: timedelta) -> None:
        behaviour = self._behaviour(app)
        if behaviour.late:
            self.world.behaviours[self.world.told[app.folder].commit] = evolve(behaviour, late=behaviour.late - 1)
            raise TimedOutError(f"not up again after {within.total_seconds():g} s")
        (app.data / "data.json").write_text((source / "backup.json").read_text())

    def _behaviour(self, app: App) -> "Behaviour":
        return self.world.behaviours[self.world.told[app.folder].commit]

    def remove(self, app: App) -> RemovalResult:
        self.stop(app)
        shutil.rmtree(app.folder, ignore_errors=True)
        return RemovalResult()

    def deployed_parts(self, root: Path) -> Mapping[str, DeployedParts]:
        """Return two parts of each app: that it runs, and its data."""
        if self.world.unasked:
            raise InfrastructureError(self.world.unasked)
        found: dict[str, dict[str, dict[str, str]]] = {}
        for folder, (mark, options) in self.world.running.items():
            if Path(mark).is_relative_to(root):
                found.setdefault(mark, {})[f"app {folder.name}"] = {"release": f"{options.version} {options.commit}"}
        for data in root.glob("*/*/data/data.json"):
            slot, app = data.parents[2], data.parents[1].name
            found.setdefault(str(slot), {})[f"data {app}"] = {"first place": json.loads(data.read_text())["place"]}
        return {mark: DeployedParts(parts, self.world.lacks) for mark, parts in found.items()}

    def leftovers(self, root: Path) -> tuple[str, ...]:
        return tuple(sorted({mark for mark, _ in self.world.running.values() if Path(mark).is_relative_to(root)}))

    def clear(self, mark: str) -> RemovalResult:
        gone = [folder for folder, (own, _) in self.world.running.items() if own == mark]
        for folder in gone:
            del self.world.running[folder]
        return RemovalResult(tuple(folder.name for folder in gone))

    def app_run(self, app: App) -> Path:
        return app.folder / "app-run"


def _breaks(behaviour: "Behaviour", data: AppContents, own: str, place: str) -> bool:
    """Whether the release fails to start with the existing data."""
    if data["last"] == own:
        return behaviour.is_bound and data["place"] != place
    return behaviour.breaks_lived and bool(data["lived"])


def running_app(app: App, options: DeployOptions) -> RunningApp:
    """Return the status of an app that runs the release of `options`."""
    return RunningApp(
        options.version, options.commit, is_up=True, url=f"http://{app.recipe}", address=f"{app.recipe}:1"
    )


@define
class WorldCommands:
    """Runs the commands of a recipe, each of one word. A file `broken` in their folder makes the custom tests fail."""

    world: "World"

    def run(self, command: RecipeCommand) -> CommandResult:
        app = Path(command.mark) / command.env["RECIPE"]
        if app not in self.world.running:
            return CommandResult(1, "it does not run")
        data = json.loads((app / "data" / "data.json").read_text())
        backup = Path(command.env["BACKUP_DIR"]) / "backup.json"
        match command.argv[0]:
            case "mark":
                (app / "data" / "data.json").write_text(json.dumps({**data, "mark": True}))
            case "check":
                kept = (app / "secrets" / "key").read_text(), (app / "secrets" / SETTING).read_text()
                if (data["key"], data["setting"]) != kept:
                    return CommandResult(1, "its data was made with another secret or setting")
                return CommandResult(0) if data["mark"] else CommandResult(1, "the marked data is gone")
            case "take":
                self._take(self.world.running[app][1].commit, backup, data)
            case "restore" if not backup.exists():
                return CommandResult(1, "there is no backup")
            case "restore":
                (app / "data" / "data.json").write_text(backup.read_text())
            case _:
                return self._custom(command, self.world.running[app][1].commit)
        return CommandResult(0)

    def _take(self, commit: str, backup: Path, data: AppContents) -> None:
        behaviour = self.world.behaviours[commit]
        if not behaviour.backed_up_once or commit not in self.world.backed_up:
            backup.write_text(json.dumps(data))
        self.world.backed_up.append(commit)

    def _custom(self, command: RecipeCommand, commit: str) -> CommandResult:
        passes = self.world.behaviours[commit].passes_custom and not (command.cwd / "broken").exists()
        return CommandResult(0) if passes else CommandResult(1, "a custom test failed")

    def missing(self, tools: Sequence[str]) -> tuple[str, ...]:
        return tuple(tool for tool in tools if tool in self.world.missing)

    def pressure(self) -> str:
        return "load 0.1"


@define
class WorldReadiness:
    world: "World"

    def wait(
        self, ready: Ready, look: Callable[[], AppStatus], command: RecipeCommand, changes: Changes | None = None
    ) -> RunningApp | Unready:
        assert changes is None
        seen = look()
        if not isinstance(seen, RunningApp):
            return Unready(seen.reason)
        behaviour = self.world.behaviours[seen.commit]
        slow = behaviour.slow or behaviour.slow_in == 1
        self.world.behaviours[seen.commit] = evolve(behaviour, slow_in=max(0, behaviour.slow_in - 1))
        late = Unready(f"no answer within {ready.within().total_seconds():g} s", timed_out=True)
        return late if slow else seen

    def watch(self, look: Callable[[], AppStatus], ready: RunningApp, seconds: float) -> EndedPart | None:
        now = look()
        assert not isinstance(now, Unobservable)
        ending = ended_since(ready, now)
        if ending is not None or seconds == 0 or not isinstance(now, RunningApp) or not self._dies(now):
            return ending
        return EndedPart("web ended with exit code 3")

    def _dies(self, seen: RunningApp) -> bool:
        behaviour = self.world.behaviours[seen.commit]
        lived = any(
            len(json.loads((folder / "data" / "data.json").read_text())["lived"]) > 1
            for folder, (_, options) in self.world.running.items()
            if options.commit == seen.commit
        )
        return behaviour.dies or (behaviour.dies_lived and lived)
