import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from reconciler.core.outcome import Result
from state.records import Intent, LedgerEntry
from state.registry.registry import SqliteRegistry
from state.snapshots.snapshots import SealedSnapshots
from tests.damaged_generations import VERSIONS, built, have, present, the_row
from tests.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return built(tmp_path)


# ---- a registry from another time ----


def older_registry(world: World) -> None:
    """Promote twice more, and put back the registry from before."""
    kept = world.state.database.read_bytes()
    for version in ("1.3.0", "1.4.0"):
        world.tag("notes", version)
        the_row(world)
    world.state.database.write_bytes(kept)


def test_with_an_older_registry_no_newer_snapshot_is_deleted_and_every_pass_names_it(world: World) -> None:
    older_registry(world)
    newer = [world.state.canonical("notes", number) for number in (4, 5)]
    contents = {path: (path / "snapshot.tar.zst").read_bytes() for path in newer}
    for version in ("1.5.0", "1.6.0", "1.7.0"):
        world.tag("notes", version)
        report = world.run().report
        assert [row.result for row in report.rows] == [Result.PROMOTED]
        assert f"no record mentions {newer[0]}, {newer[1]}: left as it is" in report.notes[0]
        assert world.lived("notes") == have(world).lineage
        assert {path: (path / "snapshot.tar.zst").read_bytes() for path in newer} == contents
    assert present(world) == (4, 5, 7, 8)


class _TakesABackup:
    """A registry of which a copy is kept as it was right after a promotion was begun."""

    def __init__(self, registry: SqliteRegistry, copy: Path) -> None:
        self.registry, self.copy = registry, copy

    def __getattr__(self, name: str) -> object:
        return getattr(self.registry, name)

    def begin(self, intent: Intent, entries: Sequence[LedgerEntry]) -> None:
        self.registry.begin(intent, entries)
        shutil.copyfile(self.registry.path, self.copy)


def test_a_registry_that_was_copied_amid_a_promotion_and_is_put_back_costs_no_snapshot(
    world: World, tmp_path: Path
) -> None:
    copy = tmp_path / "backup.db"

    def copied_at_begin(name: str, port: object) -> object:
        return _TakesABackup(port, copy) if name == "registry" and isinstance(port, SqliteRegistry) else port

    world.wrap, plain = copied_at_begin, world.wrap
    world.tag("notes", "1.3.0")
    assert the_row(world).result is Result.PROMOTED
    world.wrap = plain
    promoted = have(world)
    shutil.copyfile(copy, world.state.database)
    report = world.run().report
    assert any("begun by a dead pass, was undone" in note for note in report.notes)
    folder = world.state.canonical("notes", promoted.generation)
    assert any(f"no record mentions {folder}: left as it is" in note for note in report.notes)
    assert SealedSnapshots().find_damage(folder, promoted.seal) is None


def test_the_recorded_canonical_stays_under_an_older_registry(world: World) -> None:
    older_registry(world)
    world.run()
    recorded = have(world).generation
    world.origins["notes"].down = "no answer"
    for _ in range(3):
        world.run()
        assert recorded in present(world)


def test_with_a_newer_registry_than_folders_the_newest_intact_generation_is_used(world: World, tmp_path: Path) -> None:
    shutil.copytree(world.state.canonicals, tmp_path / "backup")
    world.tag("notes", "1.3.0")
    the_row(world)
    shutil.rmtree(world.state.canonicals)
    shutil.copytree(tmp_path / "backup", world.state.canonicals)
    assert the_row(world).result is Result.REPAIRED
    assert world.lived("notes") == (*VERSIONS, "1.3.0")


def test_a_generation_that_holds_another_snapshot_is_not_deleted(world: World) -> None:
    """As after a folder was restored from another time: the number is recorded, what lies there is not."""
    shutil.rmtree(world.state.canonical("notes", 2))
    shutil.copytree(world.state.canonical("notes", 3), world.state.canonical("notes", 2))
    kept = (world.state.canonical("notes", 2) / "snapshot.tar.zst").read_bytes()
    for version in ("1.3.0", "1.4.0", "1.5.0"):
        world.tag("notes", version)
        the_row(world)
    assert (world.state.canonical("notes", 2) / "snapshot.tar.zst").read_bytes() == kept
