"""Releases that are too young to be tried: which one is wanted meanwhile, and from when on passes try it."""

from datetime import timedelta
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from desired.releases import Release
from reconciler.cli.accept_and_forget import _accept_moved_tag
from reconciler.core.observation import Observation
from reconciler.core.outcome import Result
from reconciler.core.plan import HeldBack
from reconciler.core.report import Row
from reconciler.core.wanted_release import want_of
from reconciler.stages.observe import observe
from state.records import KnownTag
from state.registry.registry import SqliteRegistry
from tests.values import EARLIER, NOW, canonical, commit, observation
from tests.world import World

A, B, C = commit("a"), commit("b"), commit("c")
TAGS = {"1.0.0": A, "1.1.0": B, "1.2.0": C}
WEEK = timedelta(days=7)


def seen(days: dict[str, int], age: timedelta = WEEK) -> Observation:
    """An observation with a canonical at 1.0.0; `days` is how long ago each release was first seen."""
    base = observation({tag: TAGS[tag] for tag in ("1.0.0", *days)}, canonical("1.0.0", A))
    known = {tag: KnownTag(TAGS[tag], NOW - timedelta(days=ago)) for tag, ago in {"1.0.0": 99, **days}.items()}
    return evolve(base, recipe=evolve(base.recipe, minimum_age=age), memory=evolve(base.memory, known=known))


@given(st.integers(0, 20), st.integers(0, 20))
def test_the_newest_release_that_is_old_enough_is_wanted_and_without_one_the_newest(older: int, newest: int) -> None:
    want = want_of(seen({"1.1.0": older, "1.2.0": newest}))
    assert isinstance(want, Release)
    assert want.version == ("1.1.0" if newest < 7 <= older else "1.2.0")


def test_the_same_commit_by_another_tag_of_its_version_is_no_younger() -> None:
    base = seen({"1.1.0": 8})
    twin = {"v1.1.0": KnownTag(B, NOW - timedelta(days=8)), "1.1.0": KnownTag(B, NOW), "1.0.0": KnownTag(A, EARLIER)}
    assert isinstance(want_of(base), Release)
    assert want_of(evolve(base, memory=evolve(base.memory, known=twin))) == want_of(base)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A canonical at 1.0.0, and 1.1.0 published just now, where a release has to be known for a week."""
    world = World.promoted(tmp_path, "notes")
    world.declare("notes", minimum_age=WEEK)
    world.tag("notes", "1.1.0")
    return world


def the_row(world: World) -> Row:
    [row] = world.run().report.rows
    return row


def test_a_release_is_tried_a_week_after_a_pass_first_saw_it_and_the_report_names_that_time(world: World) -> None:
    row = the_row(world)
    first = world.records().memories["notes"].known["1.1.0"].first_seen
    assert (row.result, row.step.held_back, row.step.needs_person) == (Result.NONE, HeldBack.TOO_YOUNG, False)
    assert f"too young: first seen on {first:%Y-%m-%d %H:%M}, tried from {first + WEEK:%Y-%m-%d %H:%M} UTC on" in (
        row.step.reason
    )
    assert world.look().exit_code == 0
    world.now = first + WEEK - timedelta(minutes=1)
    assert the_row(world).result is Result.NONE
    world.now = first + WEEK
    assert the_row(world).result is Result.PROMOTED


def test_looking_does_not_make_a_release_known(world: World) -> None:
    world.look()
    world.now += 2 * WEEK
    assert the_row(world).step.held_back is HeldBack.TOO_YOUNG


def test_a_tag_that_moved_begins_anew_when_it_is_accepted(world: World) -> None:
    the_row(world)
    world.now += 2 * WEEK
    world.tag("notes", "1.1.0")
    assert the_row(world).step.held_back is HeldBack.QUARANTINED
    host = world.host()
    found = observe(host, world.fleet, ["notes"], world.records()).observations["notes"]
    memory, _ = _accept_moved_tag(host, found, "1.1.0")
    SqliteRegistry(world.state.database).remember([memory], [])
    assert the_row(world).step.held_back is HeldBack.TOO_YOUNG
    world.now += WEEK
    assert the_row(world).result is Result.PROMOTED
