"""A verdict on a recipe names the releases of its needs with which it was found, and counts only with these."""

from pathlib import Path

import pytest

from desired.model import Install
from reconciler.core.outcome import Result
from reconciler.core.plan import HeldBack
from tests.gated_ways import GOOD
from tests.pass_results import results
from tests.world import Behaviour, World

RED = Behaviour(passes_custom=False)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def chain(world: World, *names: str) -> World:
    """Declare recipes of which each needs the one before it, and publish 1.0.0 of each."""
    for name, need in zip(names, (None, *names), strict=False):
        world.declare(name, install=Install(needs=(need,) if need else ()))
        world.tag(name, "1.0.0")
    return world


def red_beside_a_red_need(world: World, **more: object) -> World:
    """Run a pass in which `accounts` and `notes`, which needs it, are red. `more` is declared of `accounts`."""
    chain(world, "accounts", "notes")
    world.declare("accounts", **more)
    world.signatures[world.tag("accounts", "1.0.0", RED)] = GOOD
    world.tag("notes", "1.0.0", RED)
    assert results(world.run()) == {"accounts": Result.RED, "notes": Result.RED}
    return world


def deployed_by(world: World, *names: str) -> list[tuple[str, str]]:
    """Run a pass over `names`, or over all recipes. Return each deployed app with its version, without repeats."""
    before = len(world.deployed)
    world.run(*names)
    return list(dict.fromkeys((name, version) for name, version, _ in world.deployed[before:]))


def held_back(world: World, *names: str) -> dict[str, HeldBack | None]:
    return {row.recipe: row.step.held_back for row in world.look(*names).rows}


# ---- which needs a verdict depends on ----


def test_a_red_is_tried_again_when_the_need_of_its_need_was_promoted(world: World) -> None:
    chain(world, "base", "accounts", "notes").run()
    world.tag("notes", "1.1.0", RED)
    assert results(world.run())["notes"] is Result.RED
    world.tag("base", "1.1.0")
    assert results(world.run("base")) == {"base": Result.PROMOTED}

    step = {row.recipe: row.step for row in world.look().rows}["notes"]
    assert "tried again since its tests, its declaration or its needs changed" in step.reason
    assert ("base", "1.1.0") in deployed_by(world)
    assert deployed_by(world) == []


def test_a_red_is_tried_again_when_a_need_without_a_canonical_has_a_new_release(world: World) -> None:
    red_beside_a_red_need(world)
    assert deployed_by(world) == []
    world.tag("accounts", "1.1.0", RED)
    assert {("accounts", "1.1.0"), ("notes", "1.0.0")} <= set(deployed_by(world))
    assert deployed_by(world) == []


def test_a_red_beside_a_need_whose_first_release_is_promoted_in_the_same_pass_is_tried_once(world: World) -> None:
    chain(world, "accounts", "notes")
    world.tag("notes", "1.0.0", RED)
    assert results(world.run()) == {"accounts": Result.PROMOTED, "notes": Result.RED}
    assert deployed_by(world) == []


def test_a_pass_without_the_need_says_no_need_has_changed(world: World) -> None:
    red_beside_a_red_need(world)
    assert held_back(world, "notes") == {"notes": HeldBack.RED_BEFORE}
    assert results(world.run("notes")) == {"notes": Result.NONE}


def test_an_upstream_of_a_need_that_cannot_be_asked_is_no_changed_need(world: World) -> None:
    red_beside_a_red_need(world)
    world.origins["accounts"].down = "connection refused"
    assert held_back(world)["notes"] is HeldBack.RED_BEFORE


def test_an_unsigned_release_of_a_need_that_has_no_canonical_is_no_changed_need(world: World) -> None:
    red_beside_a_red_need(world, signed=True)
    unsigned = world.tag("accounts", "1.1.0", RED)
    assert deployed_by(world) == []
    world.signatures[unsigned] = GOOD
    assert {("accounts", "1.1.0"), ("notes", "1.0.0")} <= set(deployed_by(world))
