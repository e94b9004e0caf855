"""A promotion that depends on ways, over an app in a world in memory whose releases do as asked."""

from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve

from desired.model import Upgrade, WayName, Ways
from reconciler.core.exit_codes import IN_SYNC, NEEDS_PERSON
from reconciler.core.outcome import Result
from reconciler.core.plan import HeldBack
from tests.explained_world import ExplainedWorld
from tests.folders import entries_below
from tests.gated_ways import GOOD, by_hand, passed, reds, remember, trials, version, ways_in_ledger
from tests.older_world import OlderWorld
from tests.state_checks import snapshot_contents
from tests.turn_workers import TurnWorkers
from tests.ways_world import NEWER, OLDER, TIMED_OUT, WaysWorld
from tests.world import Behaviour, World


def test_a_release_whose_gates_are_open_is_promoted_and_no_way_is_tried_twice(tmp_path: Path) -> None:
    notes = WaysWorld.gated(tmp_path, WayName.BACK, WayName.STOP)
    report, row = passed(notes)
    assert (version(notes), row.result, report.exit_code) == (NEWER, Result.PROMOTED, IN_SYNC)
    assert ways_in_ledger(notes) == [("back", "yes"), ("stop", "yes")]
    assert [each.way for each in row.ways] == [WayName.BACK, WayName.STOP]
    both = (WayName.BACK, WayName.STOP)
    notes.world.recipes["notes"] = evolve(notes.world.recipes["notes"], ways=Ways(run=both, gates=both))
    assert passed(notes)[1].ways == ()


def test_a_green_release_whose_way_back_is_closed_is_not_promoted_and_not_tried_again(tmp_path: Path) -> None:
    notes = WaysWorld.gated(tmp_path, WayName.BACK)
    notes.older = {"damages"}
    report, row = passed(notes)
    assert (version(notes), row.result, report.exit_code) == (OLDER, Result.GREEN_NOT_PROMOTED, NEEDS_PERSON)
    assert row.outcome is not None
    assert row.outcome.reason.startswith("green, not promoted: way-back: no to 1.0.0: DANGER: ")
    assert reds(notes) == [NEWER]
    assert ways_in_ledger(notes) == [("back", "no")]
    tried = trials(notes)
    report, row = passed(notes)
    assert (trials(notes), row.step.held_back, report.exit_code) == (tried, HeldBack.RED_BEFORE, NEEDS_PERSON)
    assert row.step.reason.startswith(f"{NEWER} was not promoted on ")


@pytest.mark.parametrize("named", ["3.4.1", "0.8.0"])
def test_a_leap_that_is_a_gate_is_not_open_while_a_named_row_is_not_proved(tmp_path: Path, named: str) -> None:
    notes = OlderWorld.gated(tmp_path, WayName.LEAP, upgrade=Upgrade(also=(named,)))
    notes.world.tag("notes", "0.8.0", Behaviour(starts=False))
    _, row = passed(notes)
    assert (version(notes), row.result, reds(notes)) == (OLDER, Result.GREEN_NOT_PROMOTED, [])
    assert row.outcome is not None
    assert f"way-leap: not proved: from {named} " in row.outcome.reason
    notes.world.declare("notes", ways=Ways(gates=(WayName.LEAP,)))
    assert passed(notes)[1].result is Result.PROMOTED


@pytest.mark.parametrize("change", ["gates", "tests", "release"])
def test_a_release_that_a_gate_holds_back_is_freed_by_what_explain_names(tmp_path: Path, change: str) -> None:
    notes = WaysWorld.gated(tmp_path, WayName.BACK)
    notes.older = {"exits"}
    passed(notes)
    user = ExplainedWorld(notes.world)
    assert "`[ways] gates` in " in user.head()
    assert {each.name: each.status for each in user.explain().conditions}["way-back"] == "fail"
    notes.older = set()
    if change == "gates":
        notes.world.recipes["notes"] = evolve(notes.world.recipes["notes"], ways=Ways())
    if change == "tests":
        (notes.world.recipes["notes"].folder / "check.py").write_text("another test")
    if change == "release":
        notes.world.tag("notes", "1.2.0")
    passed(notes)
    assert version(notes) == ("1.2.0" if change == "release" else NEWER)


def test_a_red_of_a_tier_does_not_say_that_a_gate_has_to_go(tmp_path: Path) -> None:
    notes = WaysWorld.gated(tmp_path, WayName.BACK)
    notes.world.tag("notes", "1.2.0", Behaviour(breaks_lived=True))
    _, row = passed(notes)
    assert row.result is Result.RED
    assert ways_in_ledger(notes) == []
    user = ExplainedWorld(notes.world)
    assert "`[ways] gates`" not in user.head()
    assert {each.name: each.status for each in user.explain().conditions}["way-back"] == "open"


def test_what_could_not_be_proved_counts_neither_as_yes_nor_as_red(tmp_path: Path) -> None:
    notes = WaysWorld.gated(tmp_path, WayName.BACK)
    notes.older = {"loses"}
    notes.answers[NEWER, "check"] = [*[None] * 3, TIMED_OUT, TIMED_OUT]
    notes.answers[OLDER, "check MARK_ID"] = [TIMED_OUT] * 2
    _, row = passed(notes)
    assert (version(notes), row.result) == (OLDER, Result.GREEN_NOT_PROMOTED)
    assert row.outcome is not None
    assert "way-back: not proved: error to 1.0.0: " in row.outcome.reason
    assert reds(notes) == []
    notes.answers.clear()
    notes.older = set()
    assert passed(notes)[1].result is Result.PROMOTED


def test_a_release_without_an_older_one_has_nothing_to_go_back_to(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.declare("notes", ways=Ways(gates=(WayName.BACK,)))
    world.tag("notes", OLDER)
    [row] = world.run().report.rows
    assert row.result is Result.PROMOTED
    [condition] = [each for each in row.gate if each.name == "way-back"]
    assert (condition.status, condition.evidence) == ("pass", "there is no older release to go back to")


@pytest.mark.parametrize("attempt", [passed, by_hand])
def test_a_way_back_leads_to_the_commit_that_was_upgraded_from_though_a_person_accepted_that_its_tag_moved(
    tmp_path: Path, attempt: Callable[[WaysWorld], object]
) -> None:
    notes = WaysWorld.gated(tmp_path, WayName.BACK)
    before, moved = notes.commit_of(OLDER), notes.world.tag("notes", OLDER)
    remember(notes, {OLDER: moved})
    attempt(notes)
    [way] = notes.world.host().registry.lines(kind="way")
    assert (way.entry.body["answer"], way.entry.body["to_commit"]) == ("yes", before)
    assert moved not in {commit for _, _, commit in notes.world.deployed}


def test_a_way_back_leads_to_the_canonical_though_a_person_accepted_that_its_tag_is_gone(tmp_path: Path) -> None:
    notes = WaysWorld.gated(tmp_path, WayName.BACK)
    other, before = notes.world.tag("notes", "0.9.0"), notes.commit_of(OLDER)
    remember(notes, {"0.9.0": other})
    del notes.world.origins["notes"].tags[OLDER]
    by_hand(notes)
    [way] = notes.world.host().registry.lines(kind="way")
    assert (way.entry.body["answer"], way.entry.body["to_commit"]) == ("yes", before)


def test_a_way_back_to_an_unsigned_release_cannot_be_proved_so_no_trial_is_run_for_it(tmp_path: Path) -> None:
    notes = WaysWorld.gated(tmp_path, WayName.BACK, signed=True)
    notes.world.signatures[notes.commit_of(NEWER)] = GOOD
    tried = trials(notes)
    _, row = passed(notes)
    assert (row.step.held_back, trials(notes), reds(notes)) == (HeldBack.UNSIGNED, tried, [])
    assert f"unsigned: {OLDER}, to which its way back leads, a gate: the tag has no signature" in row.step.reason
    user = ExplainedWorld(notes.world)
    assert f"upstream signs the tag {OLDER} on this commit" in user.head()
    assert "no longer names back" in user.head()
    notes.world.signatures[notes.commit_of(OLDER)] = GOOD
    assert passed(notes)[1].result is Result.PROMOTED


def test_no_way_is_tried_of_a_release_that_another_condition_keeps_back(tmp_path: Path) -> None:
    notes = WaysWorld.gated(tmp_path, WayName.BACK)
    notes.world.tag("notes", "1.2.0", Behaviour(writes_into_checkout=True))
    _, row = passed(notes)
    assert (row.result, ways_in_ledger(notes)) == (Result.GREEN_NOT_PROMOTED, [])


def test_a_gate_changes_nothing_of_what_is_promoted(tmp_path: Path) -> None:
    found = {}
    for name, gates in (("plain", ()), ("gated", (WayName.BACK, WayName.STOP))):
        notes = WaysWorld.gated(tmp_path / name, *gates)
        passed(notes)
        canonical = notes.world.records().canonicals["notes"]
        contents = snapshot_contents(notes.world.state, canonical)
        assert not isinstance(contents, str), contents
        written = {key: value for key, value in contents.items() if key != "place"}
        found[name] = (written, canonical.lineage, canonical.evidence.level, reds(notes))
    assert found["plain"] == found["gated"]


def test_a_closed_gate_leaves_the_canonical_and_its_snapshot_as_they_were(tmp_path: Path) -> None:
    notes = WaysWorld.gated(tmp_path, WayName.BACK)
    folder = notes.world.state.root / "canonicals"
    before = (notes.world.records().canonicals, entries_below(folder))
    notes.older = {"spoils", "exits"}
    passed(notes)
    assert ways_in_ledger(notes) == [("back", "no")]
    assert (notes.world.records().canonicals, entries_below(folder)) == before


def test_a_way_that_is_closed_beside_other_trials_is_tried_again_alone(tmp_path: Path) -> None:
    notes = WaysWorld.gated(tmp_path, WayName.BACK)
    notes.world.declare("wiki")
    notes.world.tag("wiki", OLDER)
    outcomes = iter([{"exits"}])
    notes.on_older = lambda: setattr(notes, "older", next(outcomes, set()))
    workers = TurnWorkers(notes.world, 2, lambda names: names[0])
    rows = {row.recipe: row.result for row in notes.world.run(workers=workers).report.rows}
    assert rows == {"notes": Result.PROMOTED, "wiki": Result.PROMOTED}
    assert next(outcomes, None) is None
    assert (workers.most, ways_in_ledger(notes), reds(notes)) == (2, [("back", "yes")], [])


def test_no_answer_counts_if_the_tests_change_while_a_way_is_tried(tmp_path: Path) -> None:
    notes = WaysWorld.gated(tmp_path, WayName.BACK)
    check = notes.world.recipes["notes"].folder / "check.py"
    notes.older = {"exits"}
    notes.on_older = lambda: check.write_text("another test")
    _, row = passed(notes)
    assert (row.result, reds(notes), ways_in_ledger(notes)) == (Result.GREEN_NOT_PROMOTED, [], [("back", "error")])
