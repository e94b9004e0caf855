"""The apps of a world in memory: their data, their secrets, and the driver that runs them."""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, cast

from attrs import define, evolve

from reconciler.errors import InfrastructureError, TimedOutError, killed_error
from reconciler.ports.app import (
    App,
    AppStatus,
    DeployedParts,
    DeployOptions,
    NotRunning,
    RemovalResult,
    RunningApp,
    StartTimes,
)
from reconciler.ports.app_secrets import ProvidedSecrets, SecretMakers, SecretNeed

if TYPE_CHECKING:
    from tests.world import Behaviour, World


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
        if app.folder in self.world.killed:
            self.kill(app)
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

    def kill(self, app: App) -> None:
        self.world.running.pop(app.folder, None)

    @contextmanager
    def watch_start(self, app: App, kill_after: float | None) -> Iterator[StartTimes]:
        """Kill the app, if asked to, as soon as it is deployed: before it is ready."""
        seen = StartTimes(began=self.world.now.timestamp())
        if kill_after is not None:
            seen.killed = (seen.began or 0) + kill_after
            self.world.killed.add(app.folder)
        yield seen
        self.world.killed.discard(app.folder)

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

    def forget(self) -> None:
        """Do nothing: this driver remembers nothing of the world."""

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
