"""Passes on the real Swarm that try three recipes at once, undisturbed and killed at any moment."""

import os
import random
import subprocess
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from attrs import frozen

from reconciler.core.outcome import Result
from state.records import Damaged
from state.registry.registry import SqliteRegistry
from state.snapshots.snapshots import SealedSnapshots
from tests.reconcile_command import ReconcileResult, wait_for_lock
from tests.swarm.local_engine import LocalEngine
from tests.swarm.published_fleet import PublishedFleet, published_fleet
from tests.swarm.recipe_upstreams import versions

# Only their service `app` is on a network that others use too.
NAMES = ("custom-html-tiny", "portal", "slow-start")
SEED = os.environ.get("CANON_SEED", "20261129")
# A pass of three recipes takes about a minute: ten kills are for a change of what this file is about.
MOMENTS = int(os.environ.get("CANON_PARALLEL_MOMENTS", "1"))
AT_ONCE = 2


@frozen
class Prepared:
    """A canonical of each recipe at its first release, and the second release published.

    `first` is the output of the pass over the first releases, and `seconds` the time that a pass takes.
    """

    world: PublishedFleet
    folder: Path
    first: ReconcileResult
    seconds: float

    def fresh(self, name: str) -> PublishedFleet:
        """Return the same state once more, as that of a fleet of its own."""
        return self.world.copy(self.folder / name)


@pytest.fixture(scope="module")
def prepared(engine: LocalEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    folder = tmp_path_factory.mktemp("killed-parallel-pass")
    (folder / "first").mkdir()
    with published_fleet(folder / "first", engine, NAMES) as world:
        with (world.canon.fleet / "fleet.toml").open("a") as declared:
            declared.write(f"[budget]\nparallel = {len(NAMES)}\n")
        no_wait = world.canon.fleet / "recipes" / "slow-start" / "recipe.toml"
        no_wait.write_text(no_wait.read_text().replace("[install]\n", '[install]\nenv = { PREPARING_SECONDS = "0" }\n'))
        world.publish(*NAMES)
        begun = time.monotonic()
        first = world.run()
        seconds = 1.5 * (time.monotonic() - begun)  # an upgrade takes more than a first release
        world.publish(*NAMES)
        yield Prepared(world, folder, first, seconds)


def lineages(world: PublishedFleet) -> Mapping[str, tuple[str, ...]]:
    """Return the lineage of each canonical. Checks what is recorded, that its snapshot is whole, and what is left."""
    registry = SqliteRegistry(world.state.database)
    registry.verify()
    records = registry.read()
    assert records.intents == ()
    assert world.left() == frozenset()
    for name, have in records.canonicals.items():
        with TemporaryDirectory() as folder:
            sealed = world.state.canonical(name, have.generation)
            assert not isinstance(SealedSnapshots().unpack(sealed, have.seal, Path(folder) / "whole"), Damaged)
        stored = {path.name for path in world.state.generations(name).iterdir()}
        assert stored == {str(generation) for generation in range(1, have.generation + 1)}
    return {name: have.lineage for name, have in records.canonicals.items()}


def test_three_recipes_are_promoted_side_by_side(prepared: Prepared) -> None:
    assert prepared.first.code == 0, prepared.first
    lines = prepared.first.err.splitlines()
    installs = [lines.index(f"{name}: {versions(name)[0]}: install") for name in NAMES]
    ends = [place for place, line in enumerate(lines) if f": {Result.PROMOTED}: " in line]
    assert len(ends) == len(NAMES)
    assert max(installs) < min(ends)
    assert "tried again alone" not in prepared.first.err


def killed_and_mended(prepared: Prepared, moment: int) -> tuple[int, Mapping[str, tuple[str, ...]], int]:
    """Kill a pass at a moment and run two more. Return the exit codes of both, and what the first of them came to."""
    share = (moment + random.Random(f"{SEED}/{moment}").random()) / MOMENTS  # noqa: S311  a spread, no secret
    world = prepared.fresh(str(moment))
    begun = world.canon.start("-q")
    try:
        begun.wait(timeout=share * prepared.seconds)
    except subprocess.TimeoutExpired:
        begun.kill()
    begun.communicate()
    wait_for_lock(world.state.lock, 200)
    code = world.run("-q").code
    return code, lineages(world), world.run("drift", "-q").code


def test_a_killed_pass_over_three_recipes_is_repaired_by_the_next(prepared: Prepared) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        ends = list(pool.map(lambda moment: killed_and_mended(prepared, moment), range(MOMENTS)))
    assert ends == [(0, {name: versions(name) for name in NAMES}, 0)] * MOMENTS
