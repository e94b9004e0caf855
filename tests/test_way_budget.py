"""The time that a pass has for ways: what does not fit is left, said, and tried by later passes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from desired.model import WayName, Ways
from desired.releases import Release
from reconciler.core.report import Report, ReportCommand
from reconciler.core.way_budget import has_time, seconds_before, tried_since
from reconciler.core.way_kinds import WayAnswer
from reconciler.core.ways import RecordedWay, WayResult
from reconciler.ports.commands import CommandResult, RecipeCommand
from reconciler.stages.loop import reconcile
from reconciler.stages.planning import RunRequest
from tests.world import World
from tests.world_ports import WorldCommands

AT = datetime(2026, 11, 29, tzinfo=UTC)
STOP = WayResult("notes", WayName.STOP, WayAnswer.YES, Release("1.0.0", "a" * 40), seconds=7.0)
SECONDS = st.floats(0, 10**6)
BOTH = (WayName.BACK, WayName.STOP)


@given(elapsed=SECONDS, took=SECONDS, budget=st.integers(1, 10**6), is_first=st.booleans())
def test_a_way_is_begun_only_if_it_ends_within_the_budget_or_is_the_first(
    *, elapsed: float, took: float, budget: int, is_first: bool
) -> None:
    fits = has_time(timedelta(seconds=budget), elapsed, took, is_first=is_first)
    assert fits == (is_first or (elapsed < budget and elapsed + took <= budget))
    assert has_time(None, elapsed, took, is_first=is_first)


def test_a_way_is_expected_to_take_as_long_as_last_time() -> None:
    recorded = [RecordedWay(evolve(STOP, seconds=seconds), AT, by_pass=True) for seconds in (99.0, 7.0)]
    assert seconds_before(recorded, WayName.STOP) == 7.0
    assert seconds_before(recorded, WayName.BACK) == 0.0


def test_a_try_by_hand_does_not_count_as_the_last_try_of_a_pass() -> None:
    by_hand = RecordedWay(STOP, AT + timedelta(1), by_pass=False)
    assert tried_since([by_hand]) < tried_since([RecordedWay(STOP, AT, by_pass=True), by_hand]) == AT


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Two recipes, each at its second release, with both ways to try."""
    world = World.promoted(tmp_path, "alpha", "beta")
    for name in ("alpha", "beta"):
        world.tag(name, "1.1.0")
    world.run()
    for name in ("alpha", "beta"):
        world.declare(name, ways=Ways(BOTH))
    return world


def passed(world: World, budget: timedelta | None, disk: int | None = None) -> Report:
    """Run a pass of a fleet with this `[budget]`, and return its report."""
    world.passes += 1
    fleet = evolve(world.fleet, ways=budget, disk=disk)
    return reconcile(world.host(), RunRequest(fleet, tuple(fleet.recipes), ReportCommand.PASS)).report


def tried(world: World) -> list[tuple[str, str]]:
    return [(line.entry.recipe, str(line.entry.body["way"])) for line in world.host().registry.lines(kind="way")]


def left(report: Report) -> list[str]:
    return [note for note in report.notes if note.startswith("over budget")]


def test_what_does_not_fit_is_said_and_tried_by_the_next_passes_each_once(world: World) -> None:
    first = passed(world, timedelta(seconds=1))
    assert tried(world) == [("alpha", "back")]
    assert left(first) == ["over budget ([budget] ways), left to a later pass: alpha stop; beta back, stop"]
    reports = [passed(world, timedelta(seconds=1)) for _ in range(4)]
    assert sorted(tried(world)) == [(name, way) for name in ("alpha", "beta") for way in BOTH]
    assert left(reports[-1]) == []


def test_without_a_budget_all_are_tried_in_one_pass(world: World) -> None:
    assert left(passed(world, None)) == []
    assert len(tried(world)) == 4


class FailingChecks(WorldCommands):
    """Commands of which data.check of `alpha` is never done in time."""

    def run(self, command: RecipeCommand) -> CommandResult:
        if command.env["RECIPE"] == "alpha" and command.argv[0] == "check":
            return CommandResult(None, timed_out=True)
        return super().run(command)


def test_a_recipe_whose_ways_end_in_errors_does_not_keep_the_others_waiting(world: World) -> None:
    world.wrap = lambda name, port: FailingChecks(world) if name == "commands" else port
    for _ in range(3):
        passed(world, timedelta(seconds=1))
    assert {name for name, _ in tried(world)} == {"alpha", "beta"}


def test_ways_need_room_on_the_disk_as_a_trial_does(world: World) -> None:
    notes = passed(world, None, disk=1).notes
    assert [note.partition(":")[0] for note in notes if "its ways could not be tried: over budget" in note] == [
        "alpha",
        "beta",
    ]
    assert tried(world) == []
