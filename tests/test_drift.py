"""`drift` in a world in memory: what moved, since when, how old the look is, and what is ignored until a day."""

from datetime import date
from pathlib import Path

import pytest
from attrs import evolve

from desired.drift_ignore import DRIFT_WORDS, DriftIgnore
from reconciler.core.drift import SIDES, DriftSide
from reconciler.core.report import Report, ReportBucket, ReportCommand
from reconciler.show.documents.report_document import report_document
from reconciler.show.text.report_table import render_report
from reconciler.show.text.screen import PLAIN
from reconciler.stages.planning import RunRequest
from reconciler.stages.preview import preview
from tests.folders import entries_below
from tests.world import Behaviour, World

DESIRED, HERE, UNSEEN = "what is desired has moved", "what is here has moved", "could not be seen"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World.promoted(tmp_path, "notes", "wiki")


def drift(world: World) -> Report:
    return preview(world.host(), RunRequest(world.fleet, tuple(world.fleet.recipes), ReportCommand.DRIFT))


def text(world: World) -> str:
    return render_report(drift(world), PLAIN)


def block(world: World, title: str) -> list[str]:
    """Return the lines of the block with this title, without its headings; empty if there is none."""
    found = [part.splitlines() for part in text(world).split("\n\n") if part.startswith(title)]
    return found[0][2:] if found else []


def ignore(world: World, *words: str, until: date = date(2999, 1, 1)) -> None:
    rule = DriftIgnore(words, "known", until)
    world.recipes["notes"] = evolve(world.recipes["notes"], drift=rule)


def spoil(world: World) -> None:
    (world.state.canonical("notes", 1) / "manifest.json").write_bytes(b"not what was sealed")


def test_desired_and_actual_differences_are_two_blocks(world: World) -> None:
    assert (block(world, DESIRED), block(world, HERE)) == ([], [])
    world.tag("wiki", "1.1.0")
    spoil(world)
    assert [line.split()[:2] for line in block(world, DESIRED)] == [["wiki", "new-release"], ["wiki", "mirror-behind"]]
    assert [line.split()[:2] for line in block(world, HERE)] == [["notes", "damaged"]]


def test_since_when_is_what_passes_saw_and_not_when_somebody_looks(world: World) -> None:
    world.tag("wiki", "1.1.0", Behaviour(starts=False))
    assert "no pass saw it" in block(world, DESIRED)[0]
    world.run()
    [item] = next(row for row in drift(world).rows if row.recipe == "wiki").drift.items
    assert item.since == world.records().drift["wiki"].since["new-release"]
    assert "no pass saw it" not in block(world, DESIRED)[0]


def test_unseen_recipes_are_a_block_of_their_own_with_the_age_of_the_last_observation(world: World) -> None:
    assert "observed 2026-11-01" in text(world)
    world.origins["wiki"].down = "connection refused"
    assert [line.split()[:2] for line in block(world, UNSEEN)] == [["wiki", "unobservable"]]
    assert "; a pass last saw wiki " in text(world)
    entry = next(each for each in report_document(drift(world))["recipes"] if each["name"] == "wiki")  # type: ignore[attr-defined]  # plain JSON
    assert entry["last_seen"] is not None


def test_an_ignored_difference_is_shown_with_its_reason_and_end_and_counts_for_nothing(world: World) -> None:
    spoil(world)
    assert drift(world).exit_code == 3
    ignore(world, "damaged")
    report = drift(world)
    assert (report.exit_code, report.counts[ReportBucket.IGNORED], block(world, HERE)) == (0, 1, [])
    [line] = block(world, "ignored by")
    assert line.split() == ["notes", "damaged", "no", "pass", "saw", "it", "2999-01-01", "known"]
    assert ", 1 ignored; " in report.line
    assert world.look().exit_code == 3


def test_a_rule_that_has_ended_ignores_nothing_and_is_named(world: World) -> None:
    spoil(world)
    ignore(world, "damaged", until=world.now.date())
    assert drift(world).exit_code == 3
    assert "note: notes: [drift] ignore ended on 2026-11-01 (known): what it named counts again" in text(world)


def test_a_rule_that_matches_nothing_is_named(world: World) -> None:
    ignore(world, "down", "damaged")
    assert "note: notes: [drift] ignore is not needed now: nothing is down or damaged" in text(world)


def test_a_recipe_that_also_differs_otherwise_is_not_ignored(world: World) -> None:
    spoil(world)
    world.tag("notes", "1.1.0")
    ignore(world, "damaged")
    assert drift(world).counts[ReportBucket.IGNORED] == 0
    ignore(world, "damaged", "new-release", "mirror-behind")
    assert drift(world).exit_code == 0


def test_ignoring_changes_no_verdict_and_so_makes_no_red_old(world: World) -> None:
    world.tag("notes", "1.1.0", Behaviour(starts=False))
    world.run()
    tried = len(world.deployed)
    ignore(world, "new-release")
    world.run()
    assert len(world.deployed) == tried


def test_every_difference_but_the_unseen_ones_can_be_ignored() -> None:
    assert {*DRIFT_WORDS} == {what for what, side in SIDES.items() if side is not DriftSide.UNSEEN} - {"orphaned"}


def test_looking_for_drift_changes_nothing(world: World) -> None:
    world.origins["wiki"].down = "connection refused"
    before = entries_below(world.root)
    text(world)
    assert entries_below(world.root) == before
