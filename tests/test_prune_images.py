"""A pass removes images where the fleet says so, tells what it removed, and never fails because of them."""

import signal
from pathlib import Path

import pytest
from attrs import evolve

from reconciler.core.report import ReportCommand
from reconciler.errors import InfrastructureError, InterruptedPassError
from reconciler.stages.loop import reconcile
from reconciler.stages.preview import preview
from state.image_log import append_use, keep_uses, read_uses
from state.image_use import ImageUse, UsedImage
from tests.images_world import NEW, OLD, EngineOfImages, passed, request, two_pulled
from tests.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return two_pulled(tmp_path)


def pulled(world: World) -> set[str]:
    """Return the ids of the images that Canon pulled, by the record."""
    return {image.id for use in read_uses(world.state.image_log) for image in use.images if image.pulled}


def test_a_dry_run_names_what_the_pass_then_removes_and_a_second_pass_removes_nothing(world: World) -> None:
    engine = EngineOfImages([OLD, NEW])
    host = evolve(world.host(), images=engine)
    planned = preview(host, request(world, ReportCommand.PLAN)).notes
    assert planned == ("images that a pass would remove: app:1 (20.0 MiB)",)
    assert engine.images == [OLD, NEW]
    assert passed(world, engine) == ("removed images that nothing needs: app:1 (20.0 MiB)",)
    assert (engine.images, passed(world, engine)) == ([NEW], ())
    assert [use.images[0].id for use in read_uses(world.state.image_log)] == [NEW.id]


def test_a_pass_over_some_recipes_and_one_without_images_remove_nothing(world: World) -> None:
    world.declare("wiki")
    engine = EngineOfImages([OLD, NEW])
    assert passed(world, engine, "notes") == ()
    assert reconcile(world.host(), request(world, ReportCommand.PASS)).report.notes == ()
    assert engine.images == [OLD, NEW]


def test_a_generation_whose_images_are_not_known_keeps_all_and_the_note_says_what_to_do(world: World) -> None:
    world.state.image_log.unlink()
    engine = EngineOfImages([OLD, NEW])
    (note,) = passed(world, engine)
    unknown = "notes generation 2 (reconcile raise notes)"
    assert note == f"images are not pruned: those of a generation are not known: {unknown}"
    assert engine.images == [OLD, NEW]


def test_an_engine_that_is_down_or_refuses_changes_no_result(world: World) -> None:
    assert passed(world, EngineOfImages([OLD], down=True)) == ("images could not be pruned: no engine answers",)
    assert passed(world, EngineOfImages([OLD], refuses=True)) == ()
    assert pulled(world) == {OLD.id}  # the engine has the other one no more


def test_a_recipe_that_is_being_tried_keeps_its_images(world: World) -> None:
    host = evolve(world.host(), images=EngineOfImages([OLD, NEW]))
    (world.state.work / "notes").mkdir(parents=True)
    assert preview(host, request(world, ReportCommand.PLAN)).notes == ()


def test_images_that_went_before_a_failure_are_named_with_it_and_lose_their_marks(world: World) -> None:
    engine = EngineOfImages([OLD, NEW], last_words=InfrastructureError("no engine answers"))
    assert passed(world, engine) == ("images were not all seen to be removed: app:1 (20.0 MiB): no engine answers",)
    assert (engine.images, pulled(world)) == ([NEW], {NEW.id})


def test_a_signal_during_pruning_ends_the_pass_with_its_report_and_its_line_in_the_ledger(world: World) -> None:
    host = evolve(
        world.host(), images=EngineOfImages([OLD, NEW], last_words=InterruptedPassError(signal.SIGTERM)), pass_id="last"
    )
    done = reconcile(host, request(world, ReportCommand.PASS))
    why = f"interrupted by signal {int(signal.SIGTERM)}"
    assert done.signal == signal.SIGTERM
    assert done.report.notes == (f"images were not all seen to be removed: app:1 (20.0 MiB): {why}",)
    (line,) = [line for line in host.registry.lines(kind="pass-end") if line.entry.body["pass"] == "last"]
    assert line.entry.body["signal"] == signal.SIGTERM


def test_a_record_that_cannot_be_written_lets_every_image_stay(world: World) -> None:
    world.state.image_log.with_name("images.jsonl.new").mkdir()
    engine = EngineOfImages([OLD, NEW])
    (note,) = passed(world, engine)
    assert note.startswith("images could not be pruned: ")
    assert engine.images == [OLD, NEW]


def test_where_another_state_folder_uses_the_engine_nothing_is_removed_and_nothing_forgotten(world: World) -> None:
    before, engine = world.state.image_log.read_bytes(), EngineOfImages([OLD, NEW], foreign=("another",))
    planned = preview(evolve(world.host(), images=engine), request(world, ReportCommand.PLAN)).notes
    assert passed(world, engine) == planned
    (note,) = planned
    assert note.startswith("images are not pruned: another state folder uses this engine")
    assert note.endswith("canon.state=another")
    assert (engine.images, world.state.image_log.read_bytes()) == ([OLD, NEW], before)


def test_a_copied_state_folder_removes_nothing_that_the_original_pulled_nor_after_it_comes_back(world: World) -> None:
    copied = EngineOfImages([OLD, NEW], owner="the copy")
    assert passed(world, copied) == ()
    assert passed(world, evolve(copied, owner="here")) == ()
    assert (copied.images, pulled(world)) == ([OLD, NEW], set())


def test_what_an_older_canon_recorded_lets_every_image_stay(world: World) -> None:
    keep_uses(world.state.image_log, [evolve(use, owner="") for use in read_uses(world.state.image_log)])
    engine = EngineOfImages([OLD, NEW])
    assert passed(world, engine) == ()
    assert engine.images == [OLD, NEW]


def test_a_line_that_is_cut_off_hides_no_other_line_and_nothing_is_written_twice(tmp_path: Path) -> None:
    log = tmp_path / "images.jsonl"
    use = ImageUse("notes", "c1", (UsedImage("app:1", "sha256:a", pulled=True),))
    log.write_text('{"commit":"c0","ima')
    append_use(log, use)
    append_use(log, use)
    assert read_uses(log) == (use,)
    append_use(tmp_path / "missing" / "images.jsonl", use)
