"""Records and folders out of step: what is raised from, what is pruned, and that nothing intact or unrecorded goes."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from desired.model import CanonicalPolicy, DataPolicy
from reconciler.cli.accept_and_forget import _forget_orphan
from reconciler.core.observation import State
from reconciler.core.outcome import Result
from reconciler.core.report import Row
from tests.damaged_generations import VERSIONS, built, cut, harm, have, present, the_row, turn_over
from tests.state.promotions import spoil
from tests.world import Behaviour, World

LIVED_BEFORE = ("1.0.0", "1.1.0")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return built(tmp_path)


def rot_manifest(folder: Path) -> None:
    (folder / "manifest.json").write_text("rotten")


def rename(folder: Path) -> None:
    folder.rename(folder.with_name("aside"))


DAMAGES = (cut, turn_over, rot_manifest, shutil.rmtree, rename)


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


def test_with_every_generation_damaged_the_recipe_starts_fresh_and_the_loss_is_reported(world: World) -> None:
    harm(world, 2)
    harm(world, 3)
    row = the_row(world)
    assert row.result is Result.REPAIRED
    assert row.outcome is not None
    assert f"lived through {' → '.join(VERSIONS)} is lost" in row.outcome.reason
    assert present(world) == (2, 3, 4)


def test_generations_that_fail_to_deploy_are_left_out_one_after_the_other(world: World) -> None:
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


def test_a_repair_of_a_recipe_with_fresh_data_proves_the_upgrade_and_keeps_fresh_data(tmp_path: Path) -> None:
    world = built(tmp_path, CanonicalPolicy(data=DataPolicy.FRESH))
    harm(world, 3)
    row = the_row(world)
    assert row.result is Result.REPAIRED
    assert world.lived("notes") == ("1.2.0",)
    assert row.outcome is not None
    assert "goes on from" not in row.outcome.reason


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
