"""A recipe in a world in memory, upgraded once, that does as asked over older data and when it is killed there."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from attrs import define, evolve, field

from desired.model import Install, Ready, Upgrade
from reconciler.errors import killed_error
from reconciler.ports.app import App, AppStatus, DeployOptions, RunningApp, StartTimes, Unready
from reconciler.ports.commands import RecipeCommand
from reconciler.ports.driver import Changes
from tests.ways_world import NEWER, OLDER, AskedDriver, MarkedCommands, WaysWorld
from tests.world import World
from tests.world_driver import WorldDriver
from tests.world_ports import WorldReadiness

OLDEST = "0.9.0"


@define
class OlderWorld(WaysWorld):
    """The recipe `notes` as in WaysWorld. The release 0.9.0 was never promoted.

    `over` says what 1.1.0 does when it is first deployed over the data of a release: any of `exits`, `damages`,
    `spoils`, `hangs` (it is not ready in time) and `once` (it does so only once). `falls` says what becomes of the data
    at each kill while it starts, the first first: any of `damages`, `spoils`, `stalls` (the next start fails),
    `hangs` (the next start that does not fail is not ready in time) and `lingers` (what is left of the next start has
    to be killed). `quick` is how many starts end before they can be killed, and `late` how many kills come when the app
    is ready. `blind` is how long an app is ready before Canon looks again and sees it. `beside` are releases that do
    not come up beside 2.0.0 of the app `accounts`.
    """

    over: dict[str, set[str]] = field(factory=dict)
    falls: list[set[str]] = field(factory=list)
    stalled: int = 0
    quick: int = 0
    late: int = 0
    blind: timedelta = timedelta(0)
    lingers: bool = False
    beside: set[str] = field(factory=set)

    @classmethod
    def with_needs(cls, root: Path) -> "OlderWorld":
        """Return `notes` upgraded once, and `accounts`, which it needs, upgraded from 1.0.0 to 2.0.0."""
        made = cls(World(root))
        made.world.declare("accounts")
        made.world.declare("notes", install=Install(needs=("accounts",)))
        for name in ("accounts", "notes"):
            made.world.tag(name, OLDER)
        made.world.run()
        for name, version in (("accounts", "2.0.0"), ("notes", NEWER)):
            made.world.tag(name, version)
            made.world.run()
        made.world.wrap = made._wrapped
        return made

    def also(self, *named: str) -> None:
        """Declare `[upgrade] also`."""
        self.world.recipes["notes"] = evolve(self.world.recipes["notes"], upgrade=Upgrade(also=named))

    def _wrapped(self, name: str, port: object) -> object:
        made: dict[str, Callable[[], object]] = {
            "driver": lambda: OlderDriver(self.world, asked=self, older=self),
            "commands": lambda: MarkedCommands(self.world, asked=self),
            "readiness": lambda: BlindReadiness(self.world, older=self),
        }
        return made[name]() if name in made else port


@define
class BlindReadiness(WorldReadiness):
    older: OlderWorld

    def wait(
        self, ready: Ready, look: Callable[[], AppStatus], command: RecipeCommand, changes: Changes | None = None
    ) -> RunningApp | Unready:
        unready_at = self.world.host().clock.monotonic()
        self.world.now += self.older.blind
        answer = super().wait(ready, look, command, changes)
        return evolve(answer, unready_at=unready_at) if isinstance(answer, RunningApp) and self.older.blind else answer


@define
class OlderDriver(AskedDriver):
    older: OlderWorld = field(kw_only=True)

    def deploy(self, app: App, checkout: Path, options: DeployOptions) -> tuple[str, ...]:
        if self.older.lingers and not self.older.stalled:
            self.older.lingers = False
            raise killed_error(app.recipe, ("app (10 s)",))
        lived = self._data(app)["lived"][-1:]
        said = super().deploy(app, checkout, options)
        does = self.older.over.get(lived[0], set()) if lived and options.version == NEWER else set()
        self._damage(app, does)
        accounts = self.world.told.get(app.folder.parent / "accounts")
        if accounts is not None and accounts.version == "2.0.0" and options.version in self.older.beside:
            self.world.running.pop(app.folder, None)
        if "once" in does:
            self.older.over.pop(lived[0])
        if "exits" in does or (options.version == NEWER and self.older.stalled):
            self.older.stalled = max(0, self.older.stalled - 1)
            self.world.running.pop(app.folder, None)
        return said

    def _damage(self, app: App, does: set[str]) -> None:
        if "damages" in does:
            self._write(app, {**self._data(app), "mark": False})
        if "spoils" in does:
            self._write(app, {**self._data(app), "key": "another"})
        if "hangs" in does:
            newer = self.older.commit_of(NEWER)
            self.world.behaviours[newer] = evolve(self.world.behaviours[newer], slow_in=1)

    @contextmanager
    def watch_start(self, app: App, kill_after: float | None) -> Iterator[StartTimes]:
        if kill_after is not None and self.older.quick:
            self.older.quick -= 1
            kill_after = None
        is_late = kill_after is not None and self.older.late > 0
        with WorldDriver.watch_start(self, app, None if is_late else kill_after) as seen:
            yield seen
        if is_late:
            self.older.late -= 1
            seen.killed = self.world.now.timestamp()
            self.kill(app)
        if kill_after is not None:
            does = self.older.falls.pop(0) if self.older.falls else set()
            self.older.stalled += "stalls" in does
            self.older.lingers = "lingers" in does
            self._damage(app, does)
