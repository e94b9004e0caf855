"""Records and folders out of step: what is raised from, what is pruned, and that nothing intact or unrecorded goes."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from desired.model import CanonicalPolicy, DataPolicy
from reconciler.cli.accept_and_forget import _forget_orphan
from reconciler.core.observation import State
from reconciler.core.outcome import Result
from reconciler.core.report import Row
from reconciler.ports.app import App
from reconciler.stages.record_outcome import KEPT_LOGS
from state.records import Canonical, Intent, LedgerEntry
from state.registry.registry import SqliteRegistry
from state.snapshots.snapshots import SealedSnapshots, generations_present
from tests.ledger_lines import ledger_lines
from tests.state.file_trees import file_seal
from tests.state.promotions import spoil
from tests.world import Behaviour, World
from tests.world_driver import WorldDriver

VERSIONS = ("1.0.0", "1.1.0", "1.2.0")
LIVED_BEFORE = ("1.0.0", "1.1.0")


def built(root: Path, policy: CanonicalPolicy | None = None) -> World:
    """One recipe that was promoted three times: generations 2 and 3 lie there, unless the policy keeps others."""
    world = World(root)
    world.declare("notes", canonical=policy or CanonicalPolicy())
    for version in VERSIONS:
        world.tag("notes", version)
        assert the_row(world).result is Result.PROMOTED
    return world


@pytest.fixture
def world(tmp_path: Path) -> World:
    return built(tmp_path)


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


def rot_manifest(folder: Path) -> None:
    (folder / "manifest.json").write_text("rotten")


def rename(folder: Path) -> None:
    folder.rename(folder.with_name("aside"))


DAMAGES = (cut, turn_over, rot_manifest, shutil.rmtree, rename)


def harm(world: World, generation: int, damage: Callable[[Path], None] = cut) -> None:
    damage(world.state.canonical("notes", generation))


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_repair_goes_on_from_the_newest_intact_generation_and_keeps_its_lineage(
    world: World, damage: Callable[[Path], None]
) -> None:
    harm(world, 3, damage)
    row = the_row(world)
    assert row.result is Result.REPAIRED
    assert (have(world).generation, have(world).lineage) == (4, VERSIONS)
    assert world.lived("notes") == VERSIONS
    assert row.outcome is not None
    assert row.outcome.reason.endswith("generation 3 is damaged, the data goes on from generation 2")
    assert {2, 4} <= {*present(world)}


def test_a_damaged_generation_counts_for_nothing_until_enough_intact_ones_follow(world: World) -> None:
    harm(world, 3)
    the_row(world)
    assert present(world) == (2, 3, 4)
    world.tag("notes", "1.3.0")
    assert the_row(world).result is Result.PROMOTED
    assert present(world) == (4, 5)


def test_a_new_release_goes_over_the_data_of_the_newest_intact_generation(world: World) -> None:
    harm(world, 3)
    world.tag("notes", "1.3.0")
    assert the_row(world).result is Result.PROMOTED
    assert world.lived("notes") == have(world).lineage == (*LIVED_BEFORE, "1.3.0")


def test_damage_after_a_repair_goes_on_from_the_same_older_generation(world: World) -> None:
    for generation in (3, 4):
        harm(world, generation)
        assert the_row(world).result is Result.REPAIRED
        assert world.lived("notes") == VERSIONS


def test_an_older_generation_of_the_very_release_is_raised_and_its_lineage_repeats_nothing(
    world: World, tmp_path: Path
) -> None:
    shutil.copytree(world.state.canonical("notes", 3), tmp_path / "backup")
    harm(world, 3, shutil.rmtree)
    the_row(world)
    shutil.copytree(tmp_path / "backup", world.state.canonical("notes", 3))
    harm(world, 4)
    row = the_row(world)
    assert row.result is Result.REPAIRED
    assert row.outcome is not None
    assert "goes on from generation 3" in row.outcome.reason
    assert world.lived("notes") == have(world).lineage == VERSIONS


def test_with_every_generation_damaged_it_begins_anew_and_says_what_is_lost(world: World) -> None:
    harm(world, 2)
    harm(world, 3)
    row = the_row(world)
    assert row.result is Result.REPAIRED
    assert row.outcome is not None
    assert f"lived through {' → '.join(VERSIONS)} is lost" in row.outcome.reason
    assert present(world) == (2, 3, 4)


def test_what_is_found_damaged_in_use_is_left_out_one_after_the_other(world: World) -> None:
    """Neither generation rises any more: each pass finds that of one, and only then it is begun anew."""
    for version in LIVED_BEFORE[1:] + VERSIONS[2:]:
        world.behaviours[world.origins["notes"].tags[version]] = Behaviour(starts=False)
    world.tag("notes", "1.3.0")
    for version in ("1.2.0", "1.1.0"):
        row = the_row(world)
        assert row.result is Result.INFRASTRUCTURE
        assert row.outcome is not None
        assert f"the snapshot of {version} does not come up" in row.outcome.reason
    assert the_row(world).result is Result.PROMOTED
    assert world.lived("notes") == ("1.3.0",)
    assert present(world) == (2, 3, 4)


def test_a_dry_run_over_a_damaged_canonical_names_the_generation_that_is_intact(world: World) -> None:
    harm(world, 3)
    [row] = world.look().rows
    assert row.finding.status.state is State.DAMAGED
    assert "generation 2 (1.0.0 → 1.1.0) is intact; tested again at 1.2.0" in row.step.reason


@pytest.mark.parametrize("keep", [1, 2, 3])
def test_nothing_intact_is_pruned_for_a_damaged_one(tmp_path: Path, keep: int) -> None:
    world = built(tmp_path, CanonicalPolicy(generations=3))
    harm(world, 3)
    world.declare("notes", canonical=CanonicalPolicy(generations=keep))
    world.origins["notes"].down = "no answer"
    world.run()
    assert present(world) == ((2, 3) if keep == 1 else (1, 2, 3))


def test_where_fresh_data_is_kept_a_repair_proves_the_upgrade_and_keeps_the_fresh_data(tmp_path: Path) -> None:
    world = built(tmp_path, CanonicalPolicy(data=DataPolicy.FRESH))
    harm(world, 3)
    row = the_row(world)
    assert row.result is Result.REPAIRED
    assert world.lived("notes") == ("1.2.0",)
    assert row.outcome is not None
    assert "goes on from" not in row.outcome.reason


# ---- a registry from another time ----


def older_registry(world: World) -> None:
    """Promote twice more, and put back the registry from before."""
    kept = world.state.database.read_bytes()
    for version in ("1.3.0", "1.4.0"):
        world.tag("notes", version)
        the_row(world)
    world.state.database.write_bytes(kept)


def test_with_an_older_registry_put_back_nothing_newer_is_deleted_and_every_pass_names_it(world: World) -> None:
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


def test_with_a_newer_registry_than_folders_the_newest_intact_one_carries_on(world: World, tmp_path: Path) -> None:
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


def test_forgetting_deletes_what_is_recorded_and_leaves_what_is_somebodys(world: World) -> None:
    mine = world.state.generations("notes") / "9" / "mine.txt"
    beside = world.state.canonical("notes", 3) / "beside.txt"
    logged = world.state.trial_logs("notes") / "my notes" / "mine.txt"
    for path in (mine, beside, logged):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("precious")
    said = _forget_orphan(world.host(), "notes", "gone for good")
    assert all(path.read_text() == "precious" for path in (mine, beside, logged))
    assert {path for path in world.state.generations("notes").rglob("*") if path.is_file()} == {mine, beside}
    assert f"left as it is: {world.state.generations('notes')}, {world.state.trial_logs('notes')}" in said
    assert "notes" not in world.records().canonicals


def test_an_older_generation_whose_record_was_changed_is_named_and_stops_no_pruning_nor_any_other_recipe(
    tmp_path: Path,
) -> None:
    world = built(tmp_path, CanonicalPolicy(generations=2))
    world.declare("wiki")
    world.tag("wiki", "1.0.0")
    spoil(world.state.database, 2)
    world.tag("notes", "1.3.0")
    report = world.run().report
    assert {row.recipe: row.result for row in report.rows} == {"notes": Result.PROMOTED, "wiki": Result.PROMOTED}
    assert any(f"no record mentions {world.state.canonical('notes', 2)}" in note for note in report.notes)
    cut(world.state.canonical("notes", 4))
    assert the_notes(world).result is Result.REPAIRED
    assert present(world) == (2, 3, 4, 5)


def the_notes(world: World) -> Row:
    return next(row for row in world.run().report.rows if row.recipe == "notes")


def test_a_red_over_an_older_generation_leaves_it_and_the_damage_as_they_are(world: World) -> None:
    harm(world, 3)
    world.tag("notes", "1.3.0", Behaviour(breaks_lived=True))
    assert the_row(world).result is Result.RED
    assert present(world) == (2, 3)
    assert the_row(world).result is Result.REPAIRED
    assert world.lived("notes") == VERSIONS


# ---- moved folders, unfit data, the ledger ----


def test_a_moved_state_folder_is_hashed_by_one_pass_and_looks_write_nothing(world: World, tmp_path: Path) -> None:
    away = tmp_path / "away"
    shutil.copytree(world.state.canonicals, away)
    shutil.rmtree(world.state.canonicals)
    shutil.copytree(away, world.state.canonicals)
    before = world.state.database.read_bytes()
    assert world.look().exit_code == 0
    assert world.state.database.read_bytes() == before
    world.run()
    looks = world.records().memories["notes"].looks
    assert looks == {
        str(number): {path.name: file_seal(path) for path in world.state.canonical("notes", number).iterdir()}
        for number in (2, 3)
    }
    world.tag("notes", "1.3.0")
    assert the_row(world).result is Result.PROMOTED
    harm(world, 4, turn_over)
    assert the_row(world).result is Result.REPAIRED
    harm(world, 3, turn_over)
    assert world.records().memories["notes"].looks.keys() == {"3"}


@pytest.mark.parametrize("from_the_end", [4, 0])
def test_a_ledger_that_was_changed_is_reported_and_stops_no_pass(world: World, from_the_end: int) -> None:
    line = len(ledger_lines(SqliteRegistry(world.state.database))) - from_the_end
    with closing(sqlite3.connect(world.state.database)) as connection:
        connection.execute("DROP TRIGGER ledger_is_never_rewritten")
        connection.execute("UPDATE ledger SET body = '{}' WHERE seq = ?", (line,))
        connection.commit()
    for version in ("1.3.0", "1.4.0"):
        world.tag("notes", version)
        report = world.run().report
        assert [row.result for row in report.rows] == [Result.PROMOTED]
        assert f"ledger: line {line} was changed: nothing is decided by it" in report.notes[0]
        assert len(report.notes) == 1


def test_a_canonicals_own_log_outlives_any_number_of_later_trials(world: World) -> None:
    own = world.state.trial_log("notes", have(world).evidence.trial)
    assert own.is_dir()
    world.tag("notes", "1.3.0", Behaviour(passes_custom=False))
    for _ in range(KEPT_LOGS + 2):
        world.run(retry=["notes"])
    assert own.is_dir()
    assert len(list(own.parent.iterdir())) <= KEPT_LOGS + 2


def test_data_that_no_snapshot_can_hold_is_the_recipes_fault_with_a_way_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = WorldDriver.save

    def with_attribute(apps: WorldDriver, app: App, into: Path) -> None:
        really(apps, app, into)
        try:
            os.setxattr(into / "data" / "data.json", "user.ocis.name", b"x")
        except OSError as refused:
            pytest.skip(f"no attributes here: {refused}")

    monkeypatch.setattr(WorldDriver, "save", with_attribute)
    world.tag("notes", "1.3.0")
    row = the_row(world)
    assert row.result is Result.RED
    assert row.outcome is not None
    assert "has the extended attribute user.ocis.name, which a snapshot would lose" in row.outcome.reason
    assert "configure the app to store that in its files" in row.outcome.reason
