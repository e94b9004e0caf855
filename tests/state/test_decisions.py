"""Holds and rollbacks in the registry: what they forbid, and when they go."""

import hashlib
import sqlite3
from contextlib import closing
from datetime import date, timedelta

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from state.codec import canonical_json
from state.decisions import Hold, Rollback
from state.records import Records
from state.registry.database import STEPS, blank
from state.registry.registry import SqliteRegistry
from state.state_errors import OnHoldError, RegistryError
from tests.ledger_lines import ledger_lines
from tests.state.promotions import ENTRY, intent_of, promote, release
from tests.values import NOW

HOLD = Hold("notes", "the fair is on Monday", "maria", NOW)
BACK = Rollback("notes", "1.1.0 loses mails", "maria", NOW, "1.0.0", "2.0.0", "1.1.0")
FIRST = Records({"notes": release(1)}, generations={"notes": 1})


def roll_back(registry: SqliteRegistry, generation: int, rollback: Rollback = BACK) -> None:
    wanted = evolve(release(generation), copy_of=1)
    intent = evolve(intent_of(wanted), copy_of=1)
    registry.begin(intent, [])
    registry.roll_back(wanted, intent, rollback, [ENTRY])


def test_a_recipe_on_hold_is_not_promoted_and_nothing_of_the_promotion_is_recorded(registry: SqliteRegistry) -> None:
    promote(registry, release(1))
    registry.begin(intent_of(release(2)), [])
    registry.set_hold(HOLD, [ENTRY])
    before, lines = registry.read(), ledger_lines(registry)
    with pytest.raises(OnHoldError, match="the fair is on Monday"):
        registry.commit(release(2), intent_of(release(2)), [ENTRY])
    assert (registry.read(), ledger_lines(registry)) == (before, lines)
    assert before.canonicals == {"notes": release(1)}


def test_a_hold_forbids_nothing_of_another_recipe(registry: SqliteRegistry) -> None:
    registry.set_hold(HOLD, [])
    promote(registry, release(1, "wiki"))
    assert registry.read().canonicals == {"wiki": release(1, "wiki")}


@pytest.mark.parametrize(("days", "promoted"), [(-1, True), (0, True), (1, False)])
def test_a_hold_forbids_until_its_last_day_is_over(registry: SqliteRegistry, days: int, *, promoted: bool) -> None:
    until = release(1).promoted_at.date() + timedelta(days)
    registry.set_hold(evolve(HOLD, until=until), [])
    if promoted:
        promote(registry, release(1))
    else:
        with pytest.raises(OnHoldError):
            promote(registry, release(1))
    assert bool(registry.read().canonicals) is promoted


@given(st.dates(date(2000, 1, 1)), st.dates(date(2000, 1, 1)))
def test_a_hold_is_over_on_the_day_of_its_end_and_ever_after(until: date, today: date) -> None:
    assert evolve(HOLD, until=until).is_over(today) is (today >= until)
    assert not HOLD.is_over(today)


def test_a_second_hold_takes_the_place_of_the_first(registry: SqliteRegistry) -> None:
    registry.set_hold(HOLD, [ENTRY])
    later = evolve(HOLD, until=date(2027, 1, 1), who="tom")
    registry.set_hold(later, [ENTRY])
    assert registry.read() == Records(holds={"notes": later})
    assert len(ledger_lines(registry)) == 2


def test_a_decision_that_was_replaced_meanwhile_is_not_ended(registry: SqliteRegistry) -> None:
    registry.set_hold(HOLD, [])
    registry.set_hold(evolve(HOLD, reason="and the day after"), [])
    before = registry.read()
    with pytest.raises(RegistryError, match="was changed meanwhile"):
        registry.end_decisions([HOLD], [ENTRY])
    assert (registry.read(), ledger_lines(registry)) == (before, ())
    registry.end_decisions([*before.holds.values()], [ENTRY])
    assert registry.read() == Records()


def test_a_rollback_records_the_copy_the_decision_and_the_end_of_its_intent_at_once(registry: SqliteRegistry) -> None:
    promote(registry, release(1))
    promote(registry, release(2))
    roll_back(registry, 3)
    found = registry.read()
    assert (found.canonicals["notes"].copy_of, found.intents) == (1, ())
    assert found.rollbacks == {"notes": BACK}
    assert ledger_lines(registry)[-1].entry == ENTRY
    assert [each.generation for each in registry.generations("notes")] == [3, 2, 1]


def test_a_rollback_without_its_intent_leaves_the_canonical_and_no_decision(registry: SqliteRegistry) -> None:
    promote(registry, release(1))
    with pytest.raises(RegistryError, match="no intent"):
        registry.roll_back(release(2), intent_of(release(2)), BACK, [ENTRY])
    assert registry.read() == FIRST


def test_a_hold_forbids_no_rollback(registry: SqliteRegistry) -> None:
    promote(registry, release(1))
    registry.set_hold(HOLD, [])
    roll_back(registry, 2)
    assert registry.read().rollbacks == {"notes": BACK}
    assert registry.read().holds == {"notes": HOLD}


def test_a_forgotten_recipe_is_not_on_hold_when_it_comes_back(registry: SqliteRegistry) -> None:
    promote(registry, release(1))
    roll_back(registry, 2)
    registry.set_hold(HOLD, [])
    registry.forget("notes", [])
    assert registry.read() == Records(generations={"notes": 2})


@pytest.mark.parametrize("table", ["hold", "rolled_back"])
def test_a_decision_changed_by_another_hand_makes_its_recipe_unreadable(registry: SqliteRegistry, table: str) -> None:
    promote(registry, release(1))
    roll_back(registry, 2)
    registry.set_hold(HOLD, [])
    with closing(sqlite3.connect(registry.path)) as connection, connection:
        connection.execute(f"UPDATE {table} SET record = replace(record, 'maria', 'mario')")  # noqa: S608
    found = registry.read()
    assert "notes" in found.unreadable
    assert (found.canonicals, found.holds, found.rollbacks) == ({}, {}, {})


def test_the_records_of_the_first_format_are_kept_by_the_first_hold(registry: SqliteRegistry) -> None:
    registry.path.write_bytes(blank(STEPS[:1]))
    with closing(sqlite3.connect(registry.path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    assert registry.read() == Records()
    registry.set_hold(HOLD, [])
    promote(registry, release(1, "wiki"))
    assert registry.read().holds == {"notes": HOLD}


def test_a_decision_that_an_earlier_canon_recorded_without_a_field_is_ended(registry: SqliteRegistry) -> None:
    promote(registry, release(1))
    roll_back(registry, 2, evolve(BACK, from_version=""))
    with closing(sqlite3.connect(registry.path)) as connection, connection:
        [(text,)] = connection.execute("SELECT record FROM rolled_back")
        earlier = text.replace('"from_version":"",', "")
        assert earlier != text
        digest = hashlib.sha256(canonical_json(["notes", earlier]).encode()).hexdigest()
        connection.execute("UPDATE rolled_back SET record = ?, digest = ?", (earlier, digest))
    [back] = registry.read().rollbacks.values()
    assert back == evolve(BACK, from_version="")
    registry.end_decisions([back], [])
    assert registry.read().rollbacks == {}
