"""Which images stored generations need: those of each app in their snapshots. And what is said of unknown ones."""

from pathlib import Path

from attrs import define, evolve

from desired.model import Install
from reconciler.core.image_prune import PresentImage
from reconciler.ports.app import App
from reconciler.ports.driver import SAVED_VOLUMES
from state.image_log import append_use
from state.image_use import ImageUse, UsedImage
from state.snapshots.manifest import Manifest
from state.snapshots.sealed_files import MANIFEST
from state.snapshots.snapshots import SealedSnapshots
from tests.images_world import NEW, OLD, EngineOfImages, passed
from tests.world import World
from tests.world_driver import WorldDriver

WEB = PresentImage("sha256:web", ("web:1",), 1, in_use=False)
NOT_KNOWN = "images are not pruned: those of a generation are not known: "


@define
class SavingDriver(WorldDriver):
    """Saves a folder for volumes, as real drivers do, if the app's recipe is declared for a driver with images."""

    def save(self, app: App, into: Path) -> None:
        super().save(app, into)
        if self.world.recipes[app.recipe].driver != "process":
            (into / SAVED_VOLUMES).mkdir()


def make_world(root: Path, **drivers: str) -> World:
    """Return a world in which the release 1.0.0 of recipes with these drivers was promoted."""
    world = World(root)
    world.wrap = lambda name, port: SavingDriver(world) if name == "driver" else port
    for name, driver in drivers.items():
        world.declare(name, driver=driver)
        world.tag(name, "1.0.0")
    world.run()
    return world


def deployed(world: World, name: str, commit: str, image: PresentImage) -> None:
    """Record a deployment of an image that Canon pulled."""
    used = UsedImage(image.tags[0], image.id, pulled=True)
    append_use(world.state.image_log, ImageUse(name, commit, (used,), "here"))


def manifest(world: World, name: str) -> Manifest:
    have = world.records().canonicals[name]
    found = SealedSnapshots().manifest(world.state.canonical(name, have.generation), have.seal)
    assert isinstance(found, Manifest)
    return found


def web_that_needs_an_old_db(root: Path) -> tuple[World, str]:
    """Return a world whose web was promoted with db 1.0.0; of db, only 1.1.0 is stored. Return also db's old commit."""
    world = World(root)
    recipe = world.declare("db", driver="swarm")
    world.recipes["db"] = evolve(recipe, canonical=evolve(recipe.canonical, generations=1))
    world.declare("web", driver="swarm", install=Install(needs=("db",)))
    old = world.tag("db", "1.0.0")
    web = world.tag("web", "1.0.0")
    world.run()
    deployed(world, "web", web, WEB)
    deployed(world, "db", old, OLD)
    deployed(world, "db", world.tag("db", "1.1.0"), NEW)
    world.run("db")
    return world, old


def test_the_image_of_a_need_stays_as_long_as_a_generation_of_another_recipe_has_its_old_release(
    tmp_path: Path,
) -> None:
    world, old = web_that_needs_an_old_db(tmp_path)
    assert manifest(world, "web").about["apps"]["db"]["commit"] == old  # type: ignore[index]  # JSON
    assert [path.name for path in world.state.generations("db").iterdir()] == ["2"]
    engine = EngineOfImages([OLD, NEW, WEB])
    assert passed(world, engine) == ()
    assert engine.images == [OLD, NEW, WEB]


def test_while_a_manifest_cannot_be_read_nothing_is_removed(tmp_path: Path) -> None:
    world = make_world(tmp_path, notes="swarm")
    old = world.records().canonicals["notes"].commit
    deployed(world, "notes", old, OLD)
    deployed(world, "notes", world.tag("notes", "1.1.0"), NEW)
    world.run()
    deployed(world, "gone", "c1", WEB)
    path, engine = world.state.canonical("notes", 1) / MANIFEST, EngineOfImages([OLD, NEW, WEB])
    sealed = path.read_bytes()
    path.write_bytes(sealed.replace(old.encode(), b"0" * 40))
    (note,) = passed(world, engine)
    assert note.startswith("images could not be pruned: which apps generation 1 of notes needs is not known: ")
    assert engine.images == [OLD, NEW, WEB]
    path.write_bytes(sealed)
    passed(world, engine)
    assert engine.images == [OLD, NEW]


def test_the_note_says_of_each_unknown_generation_what_ends_it(tmp_path: Path) -> None:
    world = make_world(tmp_path, notes="swarm", old="swarm")
    world.tag("notes", "1.1.0")
    world.run()
    del world.recipes["old"]
    told = "notes generation 1 (until newer ones replace it), notes generation 2 (reconcile raise notes)"
    assert passed(world, EngineOfImages([OLD])) == (
        f"{NOT_KNOWN}{told}, old generation 1 (reconcile forget old --reason WHY)",
    )


def test_a_need_that_a_raised_copy_no_longer_deploys_ends_with_its_generation(tmp_path: Path) -> None:
    world, _ = web_that_needs_an_old_db(tmp_path)
    world.state.image_log.unlink()
    have = world.records().canonicals
    deployed(world, "db", have["db"].commit, NEW)
    deployed(world, "web", have["web"].commit, WEB)
    assert passed(world, EngineOfImages([OLD])) == (f"{NOT_KNOWN}web generation 1 (reconcile raise web)",)
    world.recipes["web"] = evolve(world.recipes["web"], install=Install())
    assert passed(world, EngineOfImages([OLD])) == (f"{NOT_KNOWN}web generation 1 (until newer ones replace it)",)


def test_a_note_on_many_unknown_generations_names_some_and_counts_the_others(tmp_path: Path) -> None:
    world = make_world(tmp_path, **{f"app{number}": "swarm" for number in range(7)})
    (note,) = passed(world, EngineOfImages([OLD]))
    assert note.startswith(f"{NOT_KNOWN}app0 generation 1 (reconcile raise app0), app1 ")
    assert note.endswith("app4 generation 1 (reconcile raise app4), and 2 more")


def test_generations_of_the_driver_process_stop_nothing_also_of_a_recipe_that_is_no_longer_declared(
    tmp_path: Path,
) -> None:
    world = make_world(tmp_path, notes="swarm", files="process", old="process")
    del world.recipes["old"]
    assert not any(SAVED_VOLUMES in entry.path for entry in manifest(world, "old").entries)
    deployed(world, "notes", world.records().canonicals["notes"].commit, NEW)
    deployed(world, "gone", "c1", OLD)
    engine = EngineOfImages([OLD, NEW])
    assert passed(world, engine) == ("removed images that nothing needs: app:1 (20.0 MiB)",)
    assert engine.images == [NEW]


def test_a_generation_from_before_a_change_of_driver_keeps_its_images(tmp_path: Path) -> None:
    world = make_world(tmp_path, notes="swarm")
    world.recipes["notes"] = evolve(world.recipes["notes"], driver="process")
    deployed(world, "notes", world.records().canonicals["notes"].commit, OLD)
    engine = EngineOfImages([OLD])
    assert passed(world, engine) == ()
    assert engine.images == [OLD]
