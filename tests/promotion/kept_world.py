"""A world with a canonical that is kept running, and functions that read its state."""

from pathlib import Path

from desired.model import CanonicalPolicy, Keep, Recipe
from reconciler.core.report import Row
from reconciler.stages.loop import Pass
from state.deployment_record import read_deployment_record
from state.kept_deployment import DeploymentRecord
from tests.world import World

KEPT = {"driver": "swarm", "canonical": CanonicalPolicy(keep=Keep.RUNNING)}
REST = CanonicalPolicy()


def kept_world(root: Path) -> World:
    """Make a world with one recipe, whose canonical is kept running."""
    world = World(root)
    world.declare("notes", **KEPT)
    world.tag("notes", "1.0.0")
    world.run()
    return world


def app(world: World, name: str = "notes", part: str = "notes") -> Path:
    """Return the folder of an app of a kept canonical."""
    return world.state.kept_slot(name) / part


def kept_versions(world: World) -> dict[str, str]:
    """Return the running version of each kept app, by recipe and app."""
    kept = world.state.kept
    there = {folder: given for folder, (_, given) in world.running.items() if folder.is_relative_to(kept)}
    return {str(folder.relative_to(kept)): given.version for folder, given in there.items()}


def deployment_record_of(world: World, name: str = "notes") -> DeploymentRecord:
    found = read_deployment_record(world.state.deployment_record_path(name))
    assert isinstance(found, DeploymentRecord)
    return found


def row_of(done: Pass, name: str = "notes") -> Row:
    return next(row for row in done.report.rows if row.recipe == name)


def declare_again(world: World, recipe: Recipe) -> None:
    world.recipes[recipe.name] = recipe


def stop_app(world: World) -> None:
    del world.running[app(world)]
