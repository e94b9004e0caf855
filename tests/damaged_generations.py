"""A recipe with several generations, and ways to damage their snapshots."""

from collections.abc import Callable
from pathlib import Path

from desired.model import CanonicalPolicy
from reconciler.core.outcome import Result
from reconciler.core.report import Row
from state.records import Canonical
from state.snapshots.snapshots import generations_present
from tests.world import World

VERSIONS = ("1.0.0", "1.1.0", "1.2.0")


def built(root: Path, policy: CanonicalPolicy | None = None) -> World:
    """One recipe that was promoted three times: generations 2 and 3 lie there, unless the policy keeps others."""
    world = World(root)
    world.declare("notes", canonical=policy or CanonicalPolicy())
    for version in VERSIONS:
        world.tag("notes", version)
        assert the_row(world).result is Result.PROMOTED
    return world


def the_row(world: World) -> Row:
    [row] = world.run().report.rows
    return row


def have(world: World) -> Canonical:
    return world.records().canonicals["notes"]


def present(world: World) -> tuple[int, ...]:
    return generations_present(world.state.generations("notes"))


def cut(folder: Path) -> None:
    content = (folder / "snapshot.tar.zst").read_bytes()
    (folder / "snapshot.tar.zst").write_bytes(content[: len(content) // 2])


def turn_over(folder: Path) -> None:
    content = bytearray((folder / "snapshot.tar.zst").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "snapshot.tar.zst").write_bytes(content)


def harm(world: World, generation: int, damage: Callable[[Path], None] = cut) -> None:
    damage(world.state.canonical("notes", generation))
