"""A pass removes images where the fleet says so, tells what it removed, and never fails because of them."""

from collections.abc import Collection, Sequence
from pathlib import Path

import pytest
from attrs import define, evolve, field

from reconciler.core.image_prune import PresentImage
from reconciler.core.report import ReportCommand
from reconciler.errors import InfrastructureError
from reconciler.stages.loop import preview, reconcile
from reconciler.stages.planning import RunRequest
from state.image_log import append_use, read_uses
from state.image_use import ImageUse, UsedImage
from tests.world import World

MIB = 1024**2
NEW = PresentImage("sha256:new", ("app:2",), 30 * MIB, in_use=False)
OLD = PresentImage("sha256:old", ("app:1",), 20 * MIB, in_use=False)


@define
class EngineOfImages:
    """The images of an engine that holds nothing else. `refuses`: it removes none. `down`: it does not answer."""

    images: list[PresentImage] = field(factory=list)
    refuses: bool = False
    down: bool = False

    def present(self) -> Sequence[PresentImage]:
        if self.down:
            raise InfrastructureError("no engine answers")
        return tuple(self.images)

    def remove(self, images: Collection[PresentImage]) -> Collection[str]:
        gone = [] if self.refuses else [image.id for image in images]
        self.images = [image for image in self.images if image.id not in gone]
        return gone


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Two releases of notes were promoted, of which one generation is kept; both had images that Canon pulled."""
    world = World(tmp_path)
    recipe = world.declare("notes", driver="swarm")
    world.recipes["notes"] = evolve(recipe, canonical=evolve(recipe.canonical, generations=1))
    for version, image in (("1.0.0", OLD), ("1.1.0", NEW)):
        commit = world.tag("notes", version)
        world.run()
        used = UsedImage(image.tags[0], image.id, pulled=True)
        append_use(world.state.image_log, ImageUse("notes", commit, (used,)))
    return world


def request(world: World, command: ReportCommand, *names: str) -> RunRequest:
    return RunRequest(world.fleet, names or tuple(world.fleet.recipes), command)


def passed(world: World, images: EngineOfImages, *names: str) -> tuple[str, ...]:
    """Run a pass, and return its notes."""
    host = evolve(world.host(), images=images)
    return reconcile(host, request(world, ReportCommand.PASS, *names)).report.notes


def test_a_dry_run_names_what_the_pass_then_removes_and_a_second_pass_removes_nothing(world: World) -> None:
    engine = EngineOfImages([OLD, NEW])
    host = evolve(world.host(), images=engine)
    planned = preview(host, request(world, ReportCommand.PLAN)).notes
    assert planned == ("images that a pass would remove: app:1 (20 MiB)",)
    assert engine.images == [OLD, NEW]
    assert passed(world, engine) == ("removed images that nothing needs: app:1 (20 MiB)",)
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
    assert note.startswith("images are not pruned: those of a generation are not known yet")
    assert note.endswith("reconcile raise: notes")
    assert engine.images == [OLD, NEW]


def test_an_engine_that_is_down_or_refuses_changes_no_result(world: World) -> None:
    assert passed(world, EngineOfImages([OLD], down=True)) == ("images could not be pruned: no engine answers",)
    assert passed(world, EngineOfImages([OLD], refuses=True)) == ()
    assert len(read_uses(world.state.image_log)) == 2


def test_a_recipe_that_is_being_tried_keeps_its_images(world: World) -> None:
    host = evolve(world.host(), images=EngineOfImages([OLD, NEW]))
    (world.state.work / "notes").mkdir(parents=True)
    assert preview(host, request(world, ReportCommand.PLAN)).notes == ()


def test_a_line_that_is_cut_off_hides_no_other_line_and_nothing_is_written_twice(tmp_path: Path) -> None:
    log = tmp_path / "images.jsonl"
    use = ImageUse("notes", "c1", (UsedImage("app:1", "sha256:a", pulled=True),))
    log.write_text('{"commit":"c0","ima')
    append_use(log, use)
    append_use(log, use)
    assert read_uses(log) == (use,)
    append_use(tmp_path / "missing" / "images.jsonl", use)
