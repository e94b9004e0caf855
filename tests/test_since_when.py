"""Passes keep in the registry since when a recipe differs, and in the ledger when that began and ended."""

from datetime import datetime
from pathlib import Path

import pytest

from state.registry.registry import SqliteRegistry
from tests.ledger_lines import ledger_lines
from tests.world import Behaviour, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World.promoted(tmp_path, "notes")


def since(world: World) -> dict[str, datetime]:
    record = world.records().drift.get("notes")
    return dict(record.since) if record else {}


def drift_lines(world: World) -> list[tuple[list[str], list[str]]]:
    lines = ledger_lines(SqliteRegistry(world.state.database), kind="drift")
    bodies = [line.entry.body for line in lines]
    return [(list(body["began"]), list(body["ended"])) for body in bodies]  # type: ignore[call-overload]  # plain JSON


def test_a_difference_that_a_pass_settles_leaves_no_drift(world: World) -> None:
    assert (since(world), drift_lines(world)) == ({}, [])


def test_a_red_release_is_drift_from_its_first_pass_until_a_later_release_is_promoted(world: World) -> None:
    world.tag("notes", "2.0.0", Behaviour(starts=False))
    world.run()
    began = since(world)["new-release"]
    world.run()
    assert since(world) == {"new-release": began}
    world.tag("notes", "2.0.1")
    world.run()
    assert since(world) == {}
    assert drift_lines(world) == [(["new-release"], []), ([], ["new-release"])]


def test_a_pass_without_a_change_of_drift_writes_its_two_lines_only(world: World) -> None:
    world.tag("notes", "2.0.0", Behaviour(starts=False))
    world.run()
    before = len(ledger_lines(SqliteRegistry(world.state.database)))
    world.run()
    lines = ledger_lines(SqliteRegistry(world.state.database))[before:]
    assert [line.entry.kind for line in lines] == ["pass", "pass-end"]


def test_a_pass_over_other_recipes_leaves_the_drift_of_a_recipe_alone(world: World) -> None:
    world.tag("notes", "2.0.0", Behaviour(starts=False))
    world.run()
    before = since(world)
    world.declare("wiki")
    world.tag("wiki", "1.0.0")
    world.run("wiki")
    assert since(world) == before
    world.recipes.pop("notes")
    world.run()
    assert since(world).keys() == {"orphaned"}


def test_the_end_of_a_pass_in_the_ledger_names_results_and_what_was_not_observed(world: World) -> None:
    world.declare("wiki")
    world.tag("wiki", "1.0.0")
    world.origins["notes"].down = "connection refused"
    world.run()
    body = ledger_lines(SqliteRegistry(world.state.database), kind="pass-end")[-1].entry.body
    assert (body["results"], body["unobservable"], body["selected"]) == ({"wiki": "promoted"}, ["notes"], None)
    world.run("wiki")
    body = ledger_lines(SqliteRegistry(world.state.database), kind="pass-end")[-1].entry.body
    assert (body["results"], body["selected"]) == ({}, ["wiki"])
