from collections.abc import Callable

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.ports import storage as ports
from state.drift_record import DriftRecord
from state.records import Canonical, LedgerEntry, Memory, Records
from state.registry.registry import SqliteRegistry
from state.state_errors import RegistryError
from tests.ledger_lines import ledger_lines
from tests.state.promotions import ENTRY, intent_of, promote, release, spoil
from tests.state.record_strategies import CANONICALS, ENTRIES, MEMORIES
from tests.values import NOW


def test_it_answers_the_port(registry: SqliteRegistry) -> None:
    port: ports.Registry = registry
    assert port.read() == Records()


# ---- what is written is read ----


@settings(max_examples=30)
@given(st.lists(CANONICALS, unique_by=lambda each: each.recipe, max_size=3), st.data())
def test_all_that_was_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, canonicals: list[Canonical], data: st.DataObject
) -> None:
    registry = SqliteRegistry(tmp_path_factory.mktemp("state") / "canon.db")
    memories = data.draw(st.lists(MEMORIES, unique_by=lambda each: each.recipe, max_size=3))
    entries = data.draw(st.lists(ENTRIES, max_size=3))
    for wanted in canonicals:
        promote(registry, wanted)
    opened = [intent_of(evolve(each, generation=each.generation + 1)) for each in canonicals[:1]]
    for intent in opened:
        registry.begin(intent, [])
    registry.remember(memories, entries)
    found = registry.read()
    assert found.canonicals == {each.recipe: each for each in canonicals}
    assert found.memories == {each.recipe: each for each in memories}
    assert list(found.intents) == opened
    assert len(ledger_lines(registry)) == 2 * len(canonicals) + len(entries)
    registry.verify()


def test_an_intent_is_open_until_its_commit(registry: SqliteRegistry) -> None:
    registry.begin(intent_of(release(1)), [])
    assert registry.read() == Records(intents=(intent_of(release(1)),))
    registry.commit(release(1), intent_of(release(1)), [])
    assert registry.read() == Records({"notes": release(1)}, generations={"notes": 1})


def test_an_abandoned_intent_leaves_the_canonical(registry: SqliteRegistry) -> None:
    promote(registry, release(1))
    registry.begin(intent_of(release(2)), [])
    registry.abandon(intent_of(release(2)), [ENTRY])
    assert registry.read() == Records({"notes": release(1)}, generations={"notes": 1})
    assert ledger_lines(registry)[-1].entry == ENTRY


def test_memory_is_replaced_and_the_ledger_goes_on(registry: SqliteRegistry) -> None:
    registry.remember([Memory("notes", seconds=1.0), Memory("wiki")], [ENTRY])
    registry.remember([Memory("notes", seconds=2.0)], [ENTRY])
    assert registry.read().memories == {"notes": Memory("notes", seconds=2.0), "wiki": Memory("wiki")}
    assert [line.seq for line in ledger_lines(registry)] == [1, 2]


def test_forgetting_drops_the_records_and_keeps_the_ledger(registry: SqliteRegistry) -> None:
    promote(registry, release(1))
    promote(registry, release(1, "wiki"))
    registry.remember([Memory("notes"), Memory("wiki")], [])
    registry.forget("notes", [ENTRY])
    left = Records({"wiki": release(1, "wiki")}, {"wiki": Memory("wiki")}, generations={"notes": 1, "wiki": 1})
    assert registry.read() == left
    assert [line.entry.kind for line in ledger_lines(registry, "notes")] == ["intent", "promotion", "note"]


# ---- generations ----


def test_superseded_canonicals_stay_recorded(registry: SqliteRegistry) -> None:
    for generation in (1, 2, 4):
        promote(registry, release(generation))
    assert registry.generations("notes") == (release(4), release(2), release(1))
    assert registry.generations("wiki") == ()
    assert registry.read().canonicals == {"notes": release(4)}


def test_a_superseded_canonical_that_was_changed_by_another_hand_hides_no_other(registry: SqliteRegistry) -> None:
    for generation in (1, 2, 3):
        promote(registry, release(generation))
    spoil(registry.path, 2)
    assert registry.generations("notes") == (release(3), release(1))


def test_a_number_once_recorded_stays_known_and_is_refused(registry: SqliteRegistry) -> None:
    promote(registry, release(3))
    assert registry.read().generations == {"notes": 3}
    registry.forget("notes", [])
    assert registry.read().generations == {"notes": 3}
    with pytest.raises(RegistryError, match="recorded once"):
        registry.begin(intent_of(release(3)), [])
    promote(registry, release(4))
    assert registry.read().generations == {"notes": 4}


def test_an_abandoned_number_is_free_again(registry: SqliteRegistry) -> None:
    registry.begin(intent_of(release(1)), [])
    registry.abandon(intent_of(release(1)), [])
    assert registry.read().generations == {}
    promote(registry, release(1))


# ---- what is refused, and then nothing of it is there ----

CLOSED = intent_of(release(2))
OPEN = intent_of(release(3))
REFUSALS: list[tuple[str, Callable[[SqliteRegistry], None]]] = [
    ("no intent", lambda registry: registry.commit(release(2), CLOSED, [ENTRY])),
    ("no intent", lambda registry: registry.abandon(CLOSED, [ENTRY])),
    ("no intent", lambda registry: registry.abandon(evolve(intent_of(release(3)), commit="d" * 40), [ENTRY])),
    ("refused", lambda registry: registry.begin(evolve(intent_of(release(4)), op="pass-2:notes:4.0.0"), [ENTRY])),
    ("recorded once", lambda registry: registry.begin(intent_of(release(1, "wiki")), [ENTRY])),
    ("differ in version", lambda registry: registry.commit(evolve(release(3), version="9"), OPEN, [ENTRY])),
    ("differ in commit", lambda registry: registry.commit(evolve(release(3), commit="d" * 40), OPEN, [ENTRY])),
    ("differ in generation", lambda registry: registry.commit(evolve(release(3), generation=4), OPEN, [ENTRY])),
    ("differ in recipe", lambda registry: registry.commit(release(3, "wiki"), OPEN, [ENTRY])),
]


@pytest.mark.parametrize(("words", "act"), REFUSALS)
def test_a_write_that_contradicts_the_records_changes_nothing(
    registry: SqliteRegistry, words: str, act: Callable[[SqliteRegistry], None]
) -> None:
    promote(registry, release(1))
    promote(registry, release(2, "wiki"))
    registry.begin(OPEN, [])
    before, lines = registry.read(), ledger_lines(registry)
    with pytest.raises(RegistryError, match=words):
        act(registry)
    assert (registry.read(), ledger_lines(registry)) == (before, lines)


def test_a_body_that_is_no_json_leaves_nothing_of_its_transaction(registry: SqliteRegistry) -> None:
    registry.append([ENTRY])
    with pytest.raises(TypeError):
        registry.remember([Memory("notes")], [ENTRY, LedgerEntry(NOW, "note", "notes", {"odd": object()})])
    assert registry.read() == Records()
    assert len(ledger_lines(registry)) == 1


# ---- drift ----


def test_a_drift_record_is_replaced_and_deleted_once_nothing_differs(registry: SqliteRegistry) -> None:
    registry.record_drift([DriftRecord("notes", {"down": NOW}), DriftRecord("wiki", {"moved": NOW})], [ENTRY])
    registry.record_drift([DriftRecord("notes", {}), DriftRecord("wiki", {"ahead": NOW})], [])
    assert registry.read().drift == {"wiki": DriftRecord("wiki", {"ahead": NOW})}
    registry.forget("wiki", [])
    assert registry.read().drift == {}


def test_lines_are_read_as_appended_from_any_number_on(registry: SqliteRegistry) -> None:
    later = evolve(ENTRY, kind="later", recipe="", body={"n": 1})
    registry.append([ENTRY, later])
    assert [(line.seq, line.entry) for line in registry.lines()] == [(1, ENTRY), (2, later)]
    assert [line.seq for line in registry.lines(after=1)] == [2]
    assert SqliteRegistry(registry.path.with_name("none.db")).lines() == ()
