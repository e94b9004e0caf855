"""The images of an engine in memory, and passes that prune them."""

from collections.abc import Collection, Sequence
from pathlib import Path

from attrs import define, evolve, field

from reconciler.core.image_prune import PresentImage
from reconciler.core.report import ReportCommand
from reconciler.errors import InfrastructureError
from reconciler.stages.loop import reconcile
from reconciler.stages.planning import RunRequest
from state.image_log import append_use
from state.image_use import ImageUse, UsedImage
from tests.world import World

MIB = 1024**2
NEW = PresentImage("sha256:new", ("app:2",), 30 * MIB, in_use=False)
OLD = PresentImage("sha256:old", ("app:1",), 20 * MIB, in_use=False)


@define
class EngineOfImages:
    """The images of an engine that holds nothing else. `refuses`: it removes none. `down`: it does not answer.

    `last_words`: raised by `remove` after it has removed the images.
    """

    images: list[PresentImage] = field(factory=list)
    refuses: bool = False
    down: bool = False
    last_words: BaseException | None = None
    owner: str = "here"
    foreign: tuple[str, ...] = ()

    def others(self) -> Sequence[str]:
        return self.foreign

    def present(self) -> Sequence[PresentImage]:
        if self.down:
            raise InfrastructureError("no engine answers")
        return tuple(self.images)

    def remove(self, images: Collection[PresentImage]) -> Collection[str]:
        gone = [] if self.refuses else [image.id for image in images]
        self.images = [image for image in self.images if image.id not in gone]
        if self.last_words is not None:
            raise self.last_words
        return gone


def two_pulled(root: Path) -> World:
    """Two releases of notes were promoted, of which one generation is kept; both had images that Canon pulled."""
    world = World(root)
    recipe = world.declare("notes", driver="swarm")
    world.recipes["notes"] = evolve(recipe, canonical=evolve(recipe.canonical, generations=1))
    for version, image in (("1.0.0", OLD), ("1.1.0", NEW)):
        commit = world.tag("notes", version)
        world.run()
        used = UsedImage(image.tags[0], image.id, pulled=True)
        append_use(world.state.image_log, ImageUse("notes", commit, (used,), "here"))
    return world


def request(world: World, command: ReportCommand, *names: str) -> RunRequest:
    return RunRequest(world.fleet, names or tuple(world.fleet.recipes), command)


def passed(world: World, images: EngineOfImages, *names: str) -> tuple[str, ...]:
    """Run a pass, and return its notes."""
    host = evolve(world.host(), images=images)
    return reconcile(host, request(world, ReportCommand.PASS, *names)).report.notes
