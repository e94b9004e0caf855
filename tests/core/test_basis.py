"""What a plan rests on is the same while nothing moved, and each part that moved is named."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from desired.releases import Unobservable
from reconciler.core.basis import PARTS, moved_parts, unseen
from reconciler.core.findings import compare
from reconciler.core.observation import CanonicalStatus, State
from reconciler.core.plan import Action, make_plan
from reconciler.core.report import ReportCommand
from reconciler.core.saved_plan import PlannedStep, planned_steps, within
from reconciler.stages.planning import RunRequest
from reconciler.stages.preview import Preview, preview_with_basis
from state.registry.registry import SqliteRegistry
from tests.values import AROUND, canonical, commit, observation, recipe
from tests.world import Behaviour, World

DIGESTS = st.dictionaries(st.sampled_from(list(PARTS)), st.sampled_from("abc"))
BASES = st.dictionaries(st.sampled_from(["", "notes", "wiki"]), DIGESTS)


@given(basis=BASES, other=BASES)
def test_only_what_differs_moved(
    basis: Mapping[str, Mapping[str, str]], other: Mapping[str, Mapping[str, str]]
) -> None:
    assert moved_parts(basis, basis) == ()
    assert (moved_parts(basis, other) == ()) is (basis == other)
    assert {text.partition(":")[0] for text in moved_parts(basis, other) if text.startswith("wiki")} <= {"wiki"}


def look(world: World) -> Preview:
    return preview_with_basis(world.host(), RunRequest(world.fleet, tuple(world.recipes), ReportCommand.PLAN))


def world_with_a_release_to_promote(root: Path) -> World:
    world = World.promoted(root, "notes", "wiki")
    world.tag("notes", "1.1.0", Behaviour(passes_custom=False))
    return world


def change_tests(world: World) -> None:
    (world.recipes["wiki"].folder / "check.py").write_text("other")


def damage(world: World) -> None:
    next(world.state.canonical("wiki", 1).glob("snapshot.*")).unlink()


def forget_memory(world: World) -> None:
    registry = SqliteRegistry(world.state.database)
    registry.remember([evolve(registry.read().memories["wiki"], known={})], [])


MOVES: Mapping[str, tuple[Callable[[World], object], tuple[str, ...]]] = {
    "tags": (lambda world: world.tag("wiki", "0.9.0"), ("wiki: " + PARTS["tags"], "wiki: " + PARTS["state"])),
    "fleet": (change_tests, ("wiki: " + PARTS["fleet"],)),
    "state": (damage, ("wiki: " + PARTS["state"],)),
    "registry": (forget_memory, ("wiki: " + PARTS["registry"],)),
    "settings": (lambda world: setattr(world, "unit", "reconcile.service"), (PARTS["settings"],)),
    "undeclared": (lambda world: world.recipes.pop("wiki"), ("wiki: " + PARTS["tags"],)),
}


@pytest.mark.parametrize("what", MOVES)
def test_each_changed_part_of_the_basis_is_named(tmp_path: Path, what: str) -> None:
    world = world_with_a_release_to_promote(tmp_path)
    before = look(world).basis
    assert moved_parts(before, look(world).basis) == ()
    move, named = MOVES[what]
    move(world)
    assert set(named) <= set(moved_parts(before, look(world).basis))


def test_a_pass_within_a_saved_plan_takes_only_the_steps_that_were_saved(tmp_path: Path) -> None:
    world = world_with_a_release_to_promote(tmp_path)
    plan = look(world).plan
    assert plan.steps["notes"].action is Action.PROMOTE
    assert within(plan, None) == plan == within(plan, planned_steps(plan))
    other = {"notes": PlannedStep("promote", "0" * 40), "wiki": PlannedStep("promote", "0" * 40)}
    left = within(plan, other).steps
    assert [(step.action, step.release) for step in left.values()] == [(Action.NONE, None)] * 2


def test_each_enrolled_recipe_that_could_not_be_seen_is_named_with_the_reason() -> None:
    silent, tags = Unobservable("connection refused"), {"1.0.0": commit("a")}
    have = canonical("1.0.0", commit("a"))
    unchecked = CanonicalStatus(State.UNKNOWN, "snapshot.tar: permission denied")
    seen = {
        "away": evolve(observation(silent), recipe=evolve(recipe("away"), enrolled=False, exception="not now")),
        "notes": observation(tags, have),
        "unchecked": evolve(observation(tags, evolve(have, recipe="unchecked")), recipe=recipe("unchecked")),
        "wiki": evolve(observation(silent), recipe=recipe("wiki")),
    }
    seen["unchecked"] = evolve(seen["unchecked"], status=unchecked)
    plan = make_plan(compare(seen, {}), seen, AROUND)
    assert unseen(plan, seen) == {"unchecked": unchecked.reason, "wiki": "connection refused"}
