"""Which pass of a world counts as the last whole one."""

from datetime import datetime
from pathlib import Path

from reconciler.core.last_pass import is_whole_pass
from state.registry.latest_entry import latest_entry
from tests.world import World


def last_whole_pass(world: World) -> datetime | None:
    found = latest_entry(world.state.database, "pass-end", is_whole_pass)
    return found.at if found is not None else None


def test_a_pass_over_some_recipes_leaves_the_time_of_the_last_whole_pass(tmp_path: Path) -> None:
    world = World(tmp_path)
    for name in ("notes", "wiki"):
        world.declare(name)
        world.tag(name, "1.0.0")
    assert last_whole_pass(world) is None
    world.run("notes")
    assert last_whole_pass(world) is None
    before = world.now
    world.run()
    whole = last_whole_pass(world)
    assert whole is not None
    assert before < whole <= world.now
    world.run("wiki")
    assert last_whole_pass(world) == whole
