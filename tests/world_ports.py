"""The rest of the ports of a world in memory: its clock, the commands of its recipes, and waiting for its apps."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import define, evolve

from desired.model import Ready
from desired.releases import Unobservable
from reconciler.errors import InfrastructureError
from reconciler.host.readiness.liveness import ended_since
from reconciler.ports.app import (
    AppStatus,
    EndedPart,
    RunningApp,
    Unready,
)
from reconciler.ports.commands import CommandResult, RecipeCommand
from reconciler.ports.driver import Changes
from state.disk_use import DiskUse
from tests.world_driver import SETTING, AppContents

if TYPE_CHECKING:
    from tests.world import World


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
    world: "World"

    def step(self, recipe: str, doing: str, last_seconds: float | None = None) -> None: ...

    def done(self, recipe: str, result: str) -> None:
        self.world.said.append(f"{recipe}: {result}")


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


@define
class WorldDisk:
    """A disk on which every working folder takes `world.taken` bytes, and the images of a release `world.image`."""

    world: "World"

    def free(self) -> int:
        if self.world.unmeasured:
            raise InfrastructureError(self.world.unmeasured)
        return self.world.free

    def free_of_state(self) -> int:
        return self.world.free

    def use(self, folder: Path) -> DiskUse:
        return DiskUse(slots=self.world.taken, images=self.world.image * len(set(self.world.deployed)))

    def size(self, folder: Path) -> int:
        return self.world.written
