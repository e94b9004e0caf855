"""A fleet on the real Swarm: upstreams at a real forge, the real command, and functions that read the results."""

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from attrs import evolve, field, frozen

from state.folder.folder import StateFolder
from state.records import Canonical
from state.registry.registry import SqliteRegistry
from tests.git_servers import Forge, forge
from tests.reconcile_command import BIN, CanonCommand, ReconcileResult
from tests.repositories import UpstreamRepository
from tests.swarm.local_engine import LocalEngine
from tests.swarm.recipe_upstreams import lay_fleet, release, versions

# A pass over several real applications, on a machine that does other things too.
PATIENCE = 3600


@frozen
class PublishedFleet:
    """A fleet of recipes of `tests/swarm/recipes`, each published up to some release."""

    canon: CanonCommand
    engine: LocalEngine
    forge: Forge
    upstreams: Mapping[str, UpstreamRepository]
    published: dict[str, int] = field(factory=dict)

    def publish(self, *names: str) -> None:
        """Publish the next release of each."""
        for name in names:
            at = self.published.get(name, 0)
            release(self.upstreams[name], name, versions(name)[at])
            self.published[name] = at + 1

    def run(self, *words: str, timeout: float = PATIENCE) -> ReconcileResult:
        return self.canon.run(*words, timeout=timeout)

    def json(self, *words: str) -> ReconcileResult:
        return self.run(*words, "-o", "json", "-q")

    @property
    def state(self) -> StateFolder:
        return StateFolder(self.canon.state)

    def copy(self, into: Path) -> "PublishedFleet":
        """Return the same fleet with a copy of its state in the new folder `into`."""
        into.mkdir()
        (into / "fleet").symlink_to(self.canon.fleet)
        shutil.copytree(self.canon.state, into / "state", symlinks=True)
        return evolve(self, canon=evolve(self.canon, folder=into))

    def recorded(self) -> Mapping[str, Canonical]:
        return SqliteRegistry(self.state.database).read().canonicals

    def trials(self) -> frozenset[str]:
        """Return the log folders of all trials."""
        return frozenset(
            str(path.relative_to(self.state.logs)) for path in self.state.logs.glob("*/*") if path.is_dir()
        )

    def left(self) -> frozenset[tuple[str, str]]:
        """Return the engine's objects, and the folders, of slots in this state folder's work folder."""
        work = {("folder", path.name) for path in self.state.work.iterdir()} if self.state.work.is_dir() else set()
        return self.engine.below(self.state.work) | work


@contextmanager
def published_fleet(folder: Path, engine: LocalEngine, names: Iterable[str]) -> Iterator[PublishedFleet]:
    """Yield a fleet of recipes with no release yet, and an empty state folder."""
    names = tuple(names)
    with forge(folder / "forge") as served:
        upstreams = {name: served.repository(name) for name in names}
        lay_fleet(folder / "fleet", served, names)
        path = f"{engine.client}:{os.environ['PATH']}"
        canon = CanonCommand(folder, {"DOCKER_HOST": engine.host, "PATH": f"{BIN}:{path}"})
        yield PublishedFleet(canon, engine, served, upstreams)
