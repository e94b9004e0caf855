"""A whole pass on the real Swarm is killed at any moment: one more pass mends all, with nobody's help."""

import io
import os
import random
import subprocess
import tarfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from attrs import frozen

from state.registry.registry import SqliteRegistry
from tests.folders import state_folder_contents
from tests.reconcile_command import wait_for_lock
from tests.snapshot_tar import tar_in
from tests.swarm.local_engine import LocalEngine
from tests.swarm.published_fleet import PublishedFleet, published_fleet
from tests.swarm.recipe_upstreams import versions

NAME = "slow-start"
SEED = os.environ.get("CANON_SEED", "20261124")
MOMENTS = int(os.environ.get("CANON_MOMENTS", "10"))
# The passes mostly wait for Swarm.
AT_ONCE = 5
DECLARED = """\
env = { PREPARING_SECONDS = "0" }
"""
TIERS = """\
backup = "not what is shown"
restore = "not what is shown"
"""
NOTE = b"The engine weaves algebraic patterns."


@frozen
class EngineAfterPass:
    """What a pass comes to: the record, the snapshot's note, what is in the state folder and on the engine."""

    version: str
    lineage: tuple[str, ...]
    note: bytes
    remains: tuple[str, ...]
    left: frozenset[tuple[str, str]]


@frozen
class PreparedFleet:
    """A canonical at the first release, and a second one published; `seconds` is what a pass over it takes."""

    world: PublishedFleet
    folder: Path
    seconds: float

    def fresh(self, name: str) -> PublishedFleet:
        """Its state, once more, as of a fleet of its own."""
        return self.world.copy(self.folder / name)


def declare(world: PublishedFleet) -> None:
    declared = world.canon.fleet / "recipes" / NAME / "recipe.toml"
    text = declared.read_text()
    declared.write_text(text.replace("[install]\n", f"[install]\n{DECLARED}").replace("[tiers]\n", f"[tiers]\n{TIERS}"))


@pytest.fixture(scope="module")
def prepared(engine: LocalEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PreparedFleet]:
    folder = tmp_path_factory.mktemp("killed-pass")
    (folder / "first").mkdir()
    with published_fleet(folder / "first", engine, [NAME]) as world:
        declare(world)
        world.publish(NAME)
        begun = time.monotonic()
        done = world.run()
        assert done.code == 0, done.out
        seconds = 1.5 * (time.monotonic() - begun)  # an upgrade takes more than a first release
        world.publish(NAME)
        yield PreparedFleet(world, folder, seconds)


@pytest.fixture(scope="module")
def undisturbed(prepared: PreparedFleet) -> EngineAfterPass:
    world = prepared.fresh("undisturbed")
    done = world.run()
    assert done.code == 0, done.out
    return end_of(world)


def end_of(world: PublishedFleet) -> EngineAfterPass:
    """Told from the registry, the snapshot's bytes, the folders and the engine, not from what the program says."""
    registry = SqliteRegistry(world.state.database)
    records = registry.read()
    assert records.intents == ()
    registry.verify()
    have = records.canonicals[NAME]
    note = note_in(world, have.generation)
    return EngineAfterPass(have.version, have.lineage, note, state_folder_contents(world.canon.state), world.left())


def note_in(world: PublishedFleet, generation: int) -> bytes:
    """What the snapshot has of the marked data, which lies in an archive of its volume."""
    content = tar_in(world.canon.state / "canonicals" / NAME / str(generation))
    with tarfile.open(fileobj=io.BytesIO(content)) as snapshot:
        volume = snapshot.extractfile(next(each for each in snapshot if each.name.endswith("/volumes/data.tar")))
        with tarfile.open(fileobj=volume) as archive:
            note = archive.extractfile(next(each for each in archive if each.name.endswith("/ada.txt")))
            assert note is not None
            return note.read()


def kill_at(prepared: PreparedFleet, moment: int) -> tuple[float, PublishedFleet]:
    """Start a pass, and kill it at the share of its time that it answers; where it was done before, nothing is left."""
    share = (moment + random.Random(f"{SEED}/{moment}").random()) / MOMENTS  # noqa: S311  a spread, no secret
    world = prepared.fresh(str(moment))
    begun = world.canon.start("-q")
    try:
        begun.wait(timeout=share * prepared.seconds)
    except subprocess.TimeoutExpired:
        begun.kill()
    begun.communicate()
    wait_for_lock(world.canon.state / "lock", 200)
    return share, world


def mended(prepared: PreparedFleet, moment: int) -> tuple[float, int, EngineAfterPass, int, frozenset[str]]:
    """Kill a pass and run two more: when, the exits of both, what they came to, and what the second tried."""
    share, world = kill_at(prepared, moment)
    code = world.run("-q").code
    tried = world.trials()
    again = world.run("-q").code
    return share, code, end_of(world), again, world.trials() - tried


def test_the_undisturbed_pass_promotes_over_the_data_that_has_lived(undisturbed: EngineAfterPass) -> None:
    assert (undisturbed.version, undisturbed.lineage) == (versions(NAME)[1], versions(NAME))
    assert undisturbed.note == NOTE
    assert undisturbed.left == frozenset()


def test_a_pass_killed_at_any_moment_is_repaired_by_the_next(
    prepared: PreparedFleet, undisturbed: EngineAfterPass
) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        told = list(pool.map(lambda moment: mended(prepared, moment), range(MOMENTS)))
    expected: list[tuple[float, int, EngineAfterPass, int, frozenset[str]]] = [
        (share, 0, undisturbed, 0, frozenset()) for share, *_ in told
    ]
    assert told == expected
