"""A verdict on a recipe names the releases of its needs with which it was found, and counts only with these."""

from pathlib import Path

import pytest

from desired.model import Install, TierName, WayName, Ways
from reconciler.cli.command_context import CommandContext
from reconciler.cli.options import Options
from reconciler.cli.trial_command import Asked, _ready
from reconciler.core.outcome import Result
from reconciler.core.plan import HeldBack
from reconciler.deploy.slot_lock import lock_slot
from reconciler.promotion.rollback import RollbackRequest, roll_back
from reconciler.stages.observe import observe
from tests.gated_ways import GOOD
from tests.pass_results import reasons, results
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


def digest_now(world: World, name: str) -> str:
    """Return the digest of the recipe's tests in the next observation of the whole fleet."""
    return observe(world.host(), world.fleet, world.fleet.recipes, world.records()).observations[name].tests


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


def test_a_trial_by_hand_observes_the_needs_of_its_needs_too(world: World) -> None:
    chain(world, "base", "accounts", "notes")
    world.state.create()
    context = CommandContext(Options(), world.fleet, world.state, ("notes",))
    with _ready(world.host(), context, "notes", Asked(None, frozenset(TierName), ())) as ready:
        app_set = ready.request.app_set
    assert [(spec.recipe.name, spec.release.commit) for spec in app_set] == [
        (name, world.origins[name].tags["1.0.0"]) for name in ("base", "accounts", "notes")
    ]


# ---- needs that are promoted earlier in the same pass ----


def upgraded_together(world: World, behaviour: Behaviour | None = None) -> World:
    """Promote 1.0.0 of `accounts` and `notes`, which needs it. Then try 1.1.0 of both in one pass."""
    chain(world, "accounts", "notes").run()
    world.tag("accounts", "1.1.0")
    world.tag("notes", "1.1.0", behaviour)
    assert results(world.run())["accounts"] is Result.PROMOTED
    return world


def test_evidence_names_the_tests_with_the_need_that_was_promoted_in_the_same_pass(world: World) -> None:
    upgraded_together(world)
    canonical = world.records().canonicals["notes"]
    assert (canonical.version, canonical.evidence.tests) == ("1.1.0", digest_now(world, "notes"))


def test_a_red_with_a_need_that_was_promoted_in_the_same_pass_is_not_tried_twice(world: World) -> None:
    upgraded_together(world, RED)
    assert world.records().memories["notes"].reds["1.1.0"].circumstances.tests == digest_now(world, "notes")
    assert deployed_by(world) == []


def test_a_red_is_tried_again_when_the_need_that_was_promoted_before_it_is_rolled_back(world: World) -> None:
    upgraded_together(world, RED)
    host, have = world.host(), world.records().canonicals["accounts"]
    older = next(each for each in host.registry.generations("accounts") if each.version == "1.0.0")
    with lock_slot(host, "accounts", "rollback") as folder:
        roll_back(host, RollbackRequest(world.fleet, have, older, "maria", "notes breaks", folder))

    assert {("accounts", "1.0.0"), ("notes", "1.1.0")} <= set(deployed_by(world))
    assert deployed_by(world) == []


def test_a_canonical_promoted_after_its_need_is_damaged_when_it_no_longer_comes_up(world: World) -> None:
    upgraded_together(world)
    world.behaviours[world.origins["notes"].tags["1.1.0"]] = Behaviour(starts=False)
    world.tag("notes", "1.2.0")

    assert "its needs changed since it was promoted" not in reasons(world.run())["notes"]

    damage = world.records().memories["notes"].damage
    assert damage is not None
    assert damage.generation == world.records().canonicals["notes"].generation


def test_a_way_of_a_canonical_is_tried_once_with_the_need_that_was_promoted_in_the_same_pass(world: World) -> None:
    chain(world, "accounts", "notes").run()
    world.declare("notes", install=Install(needs=("accounts",)), ways=Ways((WayName.STOP,)))
    world.tag("accounts", "1.1.0")
    world.tag("notes", "1.1.0")
    assert [each.way for row in world.run().report.rows for each in row.ways] == [WayName.STOP]
    assert world.records().canonicals["notes"].version == "1.1.0"
    assert deployed_by(world) == []
