"""A recipe in a world in memory, upgraded once, whose releases do as asked when ways are tried of it."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from attrs import define, evolve, field

from desired.model import WayName, Ways
from reconciler.core.ways import WayResult
from reconciler.ports.app import App, DeployOptions, RemovalResult
from reconciler.ports.commands import CommandResult, RecipeCommand
from tests.world import World
from tests.world_driver import WorldDriver
from tests.world_ports import WorldCommands

OLDER, NEWER = "1.0.0", "1.1.0"
TIMED_OUT = CommandResult(None, timed_out=True)


@define
class WaysWorld:
    """The recipe `notes` at 1.1.0, upgraded from 1.0.0.

    `older` says what 1.0.0 does over data of 1.1.0: any of `loses`, `damages`, `spoils` and `exits`. If `stop_spoils`
    is set, 1.1.0 does not come up again after it was stopped. `kills` is how many times it has to be killed. `answers`
    come instead of those of a command, by its release and its text, the first first; None stands for the usual answer.
    Each takes `slow_answers`.
    """

    world: World
    older: set[str] = field(factory=set)
    stop_spoils: bool = False
    kills: int = 0
    answers: dict[tuple[str, str], list[CommandResult | BaseException | None]] = field(factory=dict)

    slow_answers: timedelta = timedelta(0)
    # Called when 1.0.0 is deployed over data of 1.1.0.
    on_older: Callable[[], object] = lambda: None

    @classmethod
    def upgraded(cls, root: Path, **declared: object) -> "WaysWorld":
        """Return the recipe without ways yet; `declared` sets fields of its declaration."""
        made = cls(World.promoted(root, "notes"))
        made.world.declare("notes", **declared)
        made.world.tag("notes", NEWER)
        made.world.run()
        made.world.wrap = made._wrapped
        return made

    @classmethod
    def gated(cls, root: Path, *gates: WayName, **declared: object) -> "WaysWorld":
        """Return the recipe at 1.0.0, with `gates` for its next release 1.1.0, which is published and not tried."""
        made = cls(World.promoted(root, "notes"))
        made.world.declare("notes", **{"ways": Ways(gates=gates), **declared})
        made.world.tag("notes", NEWER)
        made.world.wrap = made._wrapped
        return made

    def _wrapped(self, name: str, port: object) -> object:
        made: dict[str, Callable[[], object]] = {
            "driver": lambda: AskedDriver(self.world, asked=self),
            "commands": lambda: MarkedCommands(self.world, asked=self),
        }
        return made[name]() if name in made else port

    def tried(self, *ways: WayName) -> list[WayResult]:
        """Let a pass try the ways that are due of these, and return their results."""
        self.world.recipes["notes"] = evolve(self.world.recipes["notes"], ways=Ways(ways))
        [row] = [row for row in self.world.run().report.rows if row.recipe == "notes"]
        return list(row.ways)

    def commit_of(self, version: str) -> str:
        return self.world.origins["notes"].tags[version]


def _lines(folder: Path) -> Path:
    return folder / "data" / "lines"


@define
class MarkedCommands(WorldCommands):
    """data.mark writes MARK_ID too, and data.check looks for it."""

    asked: WaysWorld

    def run(self, command: RecipeCommand) -> CommandResult:
        app, mark_id = Path(command.mark) / command.env["RECIPE"], command.env.get("MARK_ID", "")
        release = self.world.running[app][1].version if app in self.world.running else ""
        said = self.asked.answers.get((release, f"{command.argv[0]} {'MARK_ID' if mark_id else ''}".strip()))
        answer = said.pop(0) if said else None
        if isinstance(answer, BaseException):
            raise answer
        if answer is not None:
            self.world.now += self.asked.slow_answers
            return answer
        lines = _lines(app)
        written = lines.read_text().split() if lines.exists() else []
        if mark_id and command.argv[0] == "mark":
            lines.write_text("\n".join([*written, mark_id]))
        if mark_id and command.argv[0] == "check" and mark_id not in written:
            return CommandResult(1, "what was written is gone")
        return super().run(command)


@define
class AskedDriver(WorldDriver):
    asked: WaysWorld = field(kw_only=True)

    def deploy(self, app: App, checkout: Path, options: DeployOptions) -> tuple[str, ...]:
        is_back = options.version == OLDER and NEWER in self._data(app)["lived"]
        said = super().deploy(app, checkout, options)
        if is_back:
            self.asked.on_older()
        if is_back and "loses" in self.asked.older:
            _lines(app.folder).unlink(missing_ok=True)
        if is_back and "damages" in self.asked.older:
            self._write(app, {**self._data(app), "mark": False})
        if is_back and "spoils" in self.asked.older:
            self._write(app, {**self._data(app), "key": "another"})
        if is_back and "exits" in self.asked.older:
            self.world.running.pop(app.folder, None)
        return said

    def stop(self, app: App) -> RemovalResult:
        ran = app.folder in self.world.running
        done = super().stop(app)
        if ran and self.asked.stop_spoils:
            self._write(app, {**self._data(app), "key": "another"})
        if ran and self.asked.kills:
            self.asked.kills -= 1
            return RemovalResult(killed=("app (10 s)",))
        return done
