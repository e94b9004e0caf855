"""What Canon did by the ledger: its passes with their trials, and how busy the host was at timeouts."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.activity import PastPass, past_passes, past_trials, timeouts
from reconciler.core.events import Event, events_of
from state.ledger_line import LedgerLine
from state.records import LedgerEntry
from tests.values import NOW

Line = tuple[str, str, Mapping[str, object]]
INSTALL = ["install", "pass", "", 2.5]
SLOW = ["upgrade", "fail", "notes 1.1.0 is not ready: no answer within 600 s (host: load 9.0 on 2 cores)", 600]


def events(*entries: Line) -> tuple[Event, ...]:
    """Return the events of a ledger with these lines, each a minute after the one before: kind, recipe, and body."""
    lines = (
        LedgerLine(number, LedgerEntry(NOW + timedelta(minutes=number), kind, recipe, body))
        for number, (kind, recipe, body) in enumerate(entries)
    )
    return events_of(lines)


def trial(by: str = "p-1", **more: object) -> Line:
    tiers = {"tiers": [INSTALL, SLOW], "result": "red", "level": "1/5", "trial": "t-1", "version": "1.1.0"}
    return "trial", "notes", {"pass": by, **tiers, **more}


BEGAN = ("pass", "", {"pass": "p-1", "trigger": "timer"})
ENDED = ("pass-end", "", {"pass": "p-1", "exit_code": 4, "line": "1 enrolled", "selected": None})


def passes(*entries: Line) -> tuple[PastPass, ...]:
    found = events(*entries)
    return past_passes(found, past_trials(found))


def test_a_pass_has_its_length_its_trials_and_how_it_ended() -> None:
    [done] = passes(BEGAN, trial(), trial("p-2"), ENDED)
    assert (done.id, done.trigger, done.exit_code, done.line) == ("p-1", "timer", 4, "1 enrolled")
    assert (done.length, done.in_trials, done.is_whole) == (timedelta(minutes=3), 602.5, True)
    assert [each.id for each in done.trials] == ["t-1"]


@pytest.mark.parametrize("end", [{}, {"selected": ["notes"]}, {"exit_code": "odd", "selected": ["notes"]}])
def test_a_pass_of_some_recipes_is_not_whole(end: dict[str, object]) -> None:
    [done] = passes(BEGAN, ("pass-end", "", {"pass": "p-1", **end}))
    assert (done.is_whole, done.exit_code) == (False, None)


def test_a_pass_without_an_end_has_no_length() -> None:
    [died] = passes(BEGAN, trial())
    assert (died.length, died.ended_at, died.exit_code, died.is_whole) == (None, None, None, False)
    assert died.in_trials == 602.5


def test_a_trial_has_the_times_of_its_tiers_and_the_size_of_its_snapshot() -> None:
    [tried, by_hand] = past_trials(events(trial(packed=1024), trial(result="by hand", findings=["slow"])))
    assert [(tier.name, tier.verdict, tier.seconds) for tier in tried.tiers] == [
        ("install", "pass", 2.5),
        ("upgrade", "fail", 600.0),
    ]
    assert (tried.packed, tried.findings, tried.result) == (1024, (), "red")
    assert (by_hand.packed, by_hand.findings, by_hand.result) == (None, ("slow",), "by hand")


def test_a_timeout_has_the_pressure_apart_from_its_text() -> None:
    first = "a first run timed out: no answer within 600 s (host: load 7.0); the second run decides: slow recipe"
    late = timeouts(past_trials(events(trial(findings=[first, "2 processes had to be ended"]))))
    assert [(each.what, each.pressure) for each in late] == [
        ("upgrade: notes 1.1.0 is not ready: no answer within 600 s", "load 9.0 on 2 cores"),
        ("a first run timed out: no answer within 600 s; the second run decides: slow recipe", "load 7.0"),
    ]
    assert {(each.recipe, each.version, each.result) for each in late} == {("notes", "1.1.0", "red")}


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), st.lists, max_leaves=5)


@given(st.lists(JSON), JSON, JSON)
def test_a_line_of_another_form_is_read_without_an_error(tiers: list[object], findings: object, code: object) -> None:
    [odd] = past_trials(events(trial(tiers=tiers, findings=findings, packed=code)))
    assert odd.seconds >= 0 or odd.tiers
    assert timeouts([odd]) is not None
    assert passes(BEGAN, ("pass-end", "", {"pass": "p-1", "exit_code": code}))[0].id == "p-1"
