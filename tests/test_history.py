"""What the ledger says happened, in a world in memory: who or what did it, and that failures stay."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.cli.accept_and_forget import _forget_orphan
from reconciler.core.events import Event, by_recipe, events_of, history_of, last_observed, pass_triggers
from state.ledger_line import LedgerLine
from state.records import LedgerEntry
from tests.explained_world import ExplainedWorld
from tests.state.record_strategies import ENTRIES
from tests.values import NOW
from tests.world import Behaviour


@pytest.fixture
def user(tmp_path: Path) -> ExplainedWorld:
    return ExplainedWorld.settled(tmp_path)


def events(user: ExplainedWorld) -> tuple[Event, ...]:
    return events_of(user.world.host().registry.lines())


def told(user: ExplainedWorld) -> list[tuple[str, str, str]]:
    """Return what happened to `notes`: the word, the release and who did it."""
    return [(each.what, each.version, each.by) for each in by_recipe(history_of(events(user)))["notes"]]


def test_a_promotion_and_its_trial_are_told_with_the_pass_and_what_started_it(user: ExplainedWorld) -> None:
    assert told(user) == [("promoted", "1.0.0+v1", "pass pass-1 (shell)"), ("trial", "1.0.0+v1", "pass pass-1 (shell)")]


def test_a_red_stays_in_the_history_after_a_later_release_was_promoted(user: ExplainedWorld) -> None:
    user.world.tag("notes", "1.1.0+v2", Behaviour(starts=False))
    user.world.run()
    user.world.tag("notes", "1.1.1+v2")
    user.world.run()
    words = [(what, version) for what, version, _ in told(user)[2:]]
    assert words == [
        ("red", "1.1.0+v2"),
        ("drift", ""),
        ("promoted", "1.1.1+v2"),
        ("trial", "1.1.1+v2"),
        ("drift", ""),
    ]


def test_a_decision_is_reported_with_the_person_and_the_reason(user: ExplainedWorld) -> None:
    del user.world.recipes["notes"]
    _forget_orphan(user.world.host(), "notes", "nobody needs it")
    [last] = [each for each in events(user) if each.kind == "forgotten"]
    assert (last.version, last.text) == ("1.0.0+v1", "nobody needs it")
    assert last.by != ""


def test_a_pass_that_died_is_told_by_its_beginning_and_one_that_ended_by_its_end(user: ExplainedWorld) -> None:
    user.world.host().registry.append([LedgerEntry(NOW, "pass", "", {"pass": "dead", "trigger": "timer"})])
    passes = [(each.kind, each.by) for each in history_of(events(user)) if each.recipe == ""]
    assert passes == [("pass-end", "pass pass-1 (shell)"), ("pass", "pass dead (timer)")]


def test_a_kind_that_this_program_does_not_know_is_told_by_its_own_texts() -> None:
    body = {"who": "ada", "reason": "the team is away", "until": "2026-12-01", "version": "1.0.0"}
    [event] = events_of([LedgerLine(1, LedgerEntry(NOW, "held", "notes", body))])
    assert (event.what, event.by, event.text) == ("held", "ada", "until 2026-12-01; the team is away")


def test_a_trial_by_hand_is_told_with_the_person_and_whether_it_was_green() -> None:
    body = {"trial": "t1", "pass": "p1", "version": "1.1.0", "level": "2/5", "result": "by hand", "who": "ada"}
    failed = {**body, "trial": "t2", "level": "0/5", "reason": "install: it did not start"}
    # An earlier Canon did not record who it was; the pass in its line is no pass.
    before = {name: value for name, value in body.items() if name != "who"}
    found = events_of([LedgerLine(1, LedgerEntry(NOW, "trial", "notes", each)) for each in (body, failed, before)])
    assert [(each.what, each.by, each.text) for each in found] == [
        ("trial", "ada", "by hand, green, level 2/5"),
        ("trial", "ada", "by hand, failed, level 0/5: install: it did not start"),
        ("trial", "", "by hand, green, level 2/5"),
    ]
    assert history_of(found) == found


def test_a_rollback_is_told_with_what_was_left_and_one_that_died_by_its_beginning() -> None:
    body = {"op": "p1:1", "generation": 4, "copy_of": 2, "left": "1.1.0", "reason": "it loses mails", "who": "tom"}
    # An earlier Canon did not record which release was left, only which releases stay away.
    old, body = body, {**body, "from_version": "1.1.0"}
    lines = [
        LedgerLine(seq, LedgerEntry(NOW, kind, "notes", body)) for seq, kind in ((1, "intent"), (2, "rolled-back"))
    ]
    found = events_of(lines)
    assert [each.text for each in found] == [
        "its rollback to generation 2 began",
        "is the canonical again, generation 4, a copy of 2; 1.1.0 was left: it loses mails",
    ]
    [earlier] = events_of([LedgerLine(1, LedgerEntry(NOW, "rolled-back", "notes", old))])
    assert earlier.text.endswith("a copy of 2; kept until a release newer than 1.1.0: it loses mails")
    assert history_of(found) == found[1:]
    assert history_of(found[:1]) == found[:1]
    [undone] = events_of(
        [LedgerLine(1, LedgerEntry(NOW, "abandoned", "notes", {"op": "p1:1", "why": "the pass died"}))]
    )
    assert undone.text == "its promotion was undone: the pass died"


def test_when_a_pass_last_saw_an_upstream_is_told_without_passes_that_did_not(user: ExplainedWorld) -> None:
    first = last_observed(events(user), "notes")
    user.world.origins["notes"].down = "connection refused"
    user.world.run()
    assert last_observed(events(user), "notes") == first
    user.world.declare("wiki")
    user.world.origins["notes"].down = ""
    user.world.run("wiki")
    assert last_observed(events(user), "notes") == first
    user.world.run()
    assert last_observed(events(user), "notes") != first


@given(st.lists(ENTRIES, max_size=5))
def test_every_line_is_told_once_and_in_order_whatever_it_holds(entries: list[LedgerEntry]) -> None:
    lines = [LedgerLine(number, entry) for number, entry in enumerate(entries, 1)]
    found = events_of(lines)
    assert [(each.seq, each.at, each.kind, each.recipe) for each in found] == [
        (number, entry.at, entry.kind, entry.recipe) for number, entry in enumerate(entries, 1)
    ]
    assert [each for each in found if each in history_of(found)] == list(history_of(found))


def test_the_events_of_new_lines_are_the_same_as_if_all_lines_were_read_again(user: ExplainedWorld) -> None:
    user.world.run()
    lines = user.world.host().registry.lines()
    assert len(lines) > 5
    for count in range(len(lines) + 1):
        old, new = lines[:count], lines[count:]
        assert (*events_of(old), *events_of(new, pass_triggers(old))) == events_of(lines)
