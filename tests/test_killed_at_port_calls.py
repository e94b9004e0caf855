"""A pass is killed before or after any port call: the next pass reaches the same state as an undisturbed one."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from attrs import frozen

from desired.model import CanonicalPolicy, Keep
from tests.folders import scratch_folder
from tests.port_calls import Call, CallRecorder, KillPoint, killed_pass
from tests.state_checks import leftovers
from tests.world import World
from tests.world_mirrors import WorldMirror


def first(root: Path) -> World:
    """Return a world with a new recipe that has two releases."""
    world = World(root)
    world.declare("notes")
    world.tag("notes", "1.0.0")
    world.tag("notes", "1.1.0")
    return world


def upgrade(root: Path) -> World:
    """Return a world with a canonical of the third generation and a newer release."""
    world = first(root)
    world.run()
    for version in ("1.2.0", "1.3.0"):
        world.tag("notes", version)
        world.run()
    world.tag("notes", "1.4.0")
    return world


def kept(root: Path) -> World:
    """Return a world with a canonical that is kept running, and a newer release."""
    world = World(root)
    world.declare("notes", driver="swarm", canonical=CanonicalPolicy(keep=Keep.RUNNING))
    world.tag("notes", "1.0.0")
    world.run()
    world.tag("notes", "1.1.0")
    return world


def down(root: Path) -> World:
    """Return a world with a canonical of the newest release that should be running and is not."""
    world = kept(root)
    world.run()
    world.running.clear()
    return world


WORLDS: Mapping[str, Callable[[Path], World]] = {"first": first, "upgrade": upgrade, "kept": kept, "down": down}


@frozen
class WorldAfterPass:
    """The state after a pass: everything in which two runs could differ for a user."""

    canonicals: Mapping[str, tuple[str, str, tuple[str, ...], tuple[str, ...]]]
    generations: tuple[str, ...]
    known: Mapping[str, frozenset[str]]
    mirrors: Mapping[str, WorldMirror]
    status: Mapping[str, str]
    exit_code: int
    left: list[str]


def end_of_a_pass(world: World) -> WorldAfterPass:
    done = world.run()
    records = world.records()
    folder, stays = world.state.canonicals / "notes", world.state.kept
    status = {app: given for app, (_, given) in world.running.items() if app.is_relative_to(stays)}
    return WorldAfterPass(
        canonicals={
            name: (have.version, have.commit, have.lineage, world.lived(name))
            for name, have in records.canonicals.items()
        },
        generations=tuple(sorted(path.name for path in folder.iterdir())),
        known={name: frozenset(memory.known) for name, memory in records.memories.items()},
        mirrors=world.mirrors,
        status={str(app.relative_to(stays)): given.version for app, given in status.items()},
        exit_code=done.report.exit_code,
        left=leftovers(world.state, world.running.keys() - status.keys()),
    )


def undisturbed(name: str) -> tuple[WorldAfterPass, list[Call]]:
    with scratch_folder() as root:
        world = WORLDS[name](root)
        recorder = world.wrap = CallRecorder()
        return end_of_a_pass(world), recorder.calls


UNDISTURBED = {name: undisturbed(name) for name in WORLDS}


@pytest.fixture(scope="module")
def templates() -> Iterator[Mapping[str, World]]:
    with scratch_folder() as root:
        for name in WORLDS:
            (root / name).mkdir()
        yield {name: make(root / name) for name, make in WORLDS.items()}


@pytest.mark.parametrize(
    ("name", "number"),
    [
        pytest.param(name, number, id=f"{name}-{call}")
        for name, (_, calls) in UNDISTURBED.items()
        for number, call in enumerate(calls, 1)
    ],
)
def test_the_next_pass_repairs_what_a_killed_pass_left(templates: Mapping[str, World], name: str, number: int) -> None:
    for after in (False, True):
        with scratch_folder() as root:
            world = templates[name].copy(root)
            assert killed_pass(world, KillPoint(number, after=after))
            assert end_of_a_pass(world) == UNDISTURBED[name][0]


@pytest.mark.parametrize("name", WORLDS)
def test_an_undisturbed_pass_promotes_or_redeploys_and_leaves_nothing_behind(name: str) -> None:
    end, calls = UNDISTURBED[name]
    two = ("1.0.0", "1.1.0")
    lineages = {"first": two, "upgrade": (*two, "1.2.0", "1.3.0", "1.4.0"), "kept": two, "down": two}
    assert [lived for *_, lived in end.canonicals.values()] == [lineages[name]]
    assert (end.exit_code, end.left) == (0, [])
    assert end.status == ({"notes/notes": "1.1.0"} if name in {"kept", "down"} else {})
    made = {"registry.begin", "registry.commit", "snapshots.move", "snapshots.seal"}
    assert (made <= {call.name for call in calls}) is (name != "down")
