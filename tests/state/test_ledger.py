import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from state.records import LedgerEntry
from state.registry.ledger import LedgerRow, first_break, next_row
from state.registry.registry import SqliteRegistry
from state.state_errors import RegistryError
from tests.ledger_lines import ledger_lines, line_of
from tests.state.record_strategies import ENTRIES
from tests.values import NOW

COLUMNS = ("at", "kind", "recipe", "body", "prev", "hash")
CHAINS = st.lists(ENTRIES, min_size=1, max_size=4)
LONGER = st.lists(ENTRIES, min_size=2, max_size=4)


def chain(entries: list[LedgerEntry]) -> list[LedgerRow]:
    rows: list[LedgerRow] = []
    for entry in entries:
        rows.append(next_row(rows[-1] if rows else None, entry))
    return rows


@given(CHAINS)
def test_a_chain_as_written_holds_and_says_what_was_entered(entries: list[LedgerEntry]) -> None:
    rows = chain(entries)
    assert first_break(rows) is None
    assert [(line.seq, line.entry.at) for line in map(line_of, rows)] == list(
        enumerate((entry.at for entry in entries), 1)
    )
    assert [line_of(row).entry.body for row in rows] == [entry.body for entry in entries]


@given(CHAINS, st.data())
def test_every_changed_bit_of_every_column_is_found(entries: list[LedgerEntry], data: st.DataObject) -> None:
    rows = chain(entries)
    at = data.draw(st.integers(0, len(rows) - 1))
    column = data.draw(st.sampled_from([name for name in COLUMNS if getattr(rows[at], name)]))
    text = getattr(rows[at], column)
    place, bit = data.draw(st.integers(0, len(text) - 1)), data.draw(st.integers(0, 6))
    rows[at] = evolve(rows[at], **{column: text[:place] + chr(ord(text[place]) ^ (1 << bit)) + text[place + 1 :]})
    assert first_break(rows) is not None


@given(CHAINS, st.data())
def test_a_changed_number_is_found(entries: list[LedgerEntry], data: st.DataObject) -> None:
    rows = chain(entries)
    at = data.draw(st.integers(0, len(rows) - 1))
    rows[at] = evolve(rows[at], seq=data.draw(st.integers(0, 99).filter(lambda seq: seq != at + 1)))
    assert first_break(rows) is not None


@given(LONGER, st.data())
def test_a_line_taken_out_before_the_last_is_found(entries: list[LedgerEntry], data: st.DataObject) -> None:
    rows = chain(entries)
    del rows[data.draw(st.integers(0, len(rows) - 2))]
    assert first_break(rows) is not None


@given(LONGER, st.data())
def test_two_swapped_lines_of_the_ledger_are_found(entries: list[LedgerEntry], data: st.DataObject) -> None:
    rows = chain(entries)
    one, other = data.draw(st.lists(st.integers(0, len(rows) - 1), min_size=2, max_size=2, unique=True))
    rows[one], rows[other] = rows[other], rows[one]
    assert first_break(rows) is not None
    renumbered = [evolve(row, seq=seq) for seq, row in enumerate(rows, 1)]
    assert first_break(renumbered) is not None


@given(LONGER, ENTRIES, st.data())
def test_a_line_rewritten_with_a_right_hash_is_found_by_the_next(
    entries: list[LedgerEntry], other: LedgerEntry, data: st.DataObject
) -> None:
    rows = chain(entries)
    at = data.draw(st.integers(0, len(rows) - 2))
    forged = next_row(rows[at - 1] if at else None, other)
    if forged != rows[at]:
        rows[at] = forged
        assert first_break(rows) is not None


@given(CHAINS, st.data())
def test_a_cut_tail_alone_is_not_seen_from_the_chain(entries: list[LedgerEntry], data: st.DataObject) -> None:
    rows = chain(entries)
    assert first_break(rows[: data.draw(st.integers(0, len(rows)))]) is None


# ---- in the file ----

THREE = [LedgerEntry(NOW, "pass", "notes", {"number": number}) for number in (1, 2, 3)]


def written(folder: Path) -> SqliteRegistry:
    registry = SqliteRegistry(folder / "canon.db")
    registry.append(THREE[:2])
    registry.append(THREE[2:])
    return registry


def test_lines_come_back_in_their_order(tmp_path: Path) -> None:
    registry = written(tmp_path)
    lines = ledger_lines(registry)
    assert [line.entry for line in lines] == THREE
    assert [line.prev for line in lines] == ["", lines[0].hash, lines[1].hash]
    registry.verify()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger SET body = '{}' WHERE seq = 1",
        "DELETE FROM ledger WHERE seq = 3",
        "DELETE FROM ledger",
        "INSERT OR REPLACE INTO ledger SELECT seq, at, kind, 'other', body, prev, hash FROM ledger WHERE seq = 3",
        "INSERT INTO ledger SELECT 5, at, kind, recipe, body, hash, 'h' FROM ledger WHERE seq = 3",
        "INSERT INTO ledger SELECT 4, at, kind, recipe, body, 'other', 'h' FROM ledger WHERE seq = 3",
    ],
)
def test_the_file_itself_refuses_all_but_the_next_line(tmp_path: Path, statement: str) -> None:
    registry = written(tmp_path)
    with closing(sqlite3.connect(registry.path)) as connection, pytest.raises(sqlite3.IntegrityError, match="ledger"):
        connection.execute(statement)
    assert [line.entry for line in ledger_lines(registry)] == THREE


TAMPERINGS = [
    ("UPDATE ledger SET body = replace(body, '2', '3') WHERE seq = 2", "line 2 was changed"),
    ("UPDATE ledger SET body = body || ' ' WHERE seq = 1", "line 1 was changed"),
    ("DELETE FROM ledger WHERE seq = 2", "line 2 is missing"),
    ("DELETE FROM ledger WHERE seq = 1", "line 1 is missing"),
    ("UPDATE ledger SET prev = '' WHERE seq = 2", "line 2 does not follow"),
]


@pytest.mark.parametrize(("statement", "words"), TAMPERINGS)
def test_a_change_made_with_the_guards_removed_is_found_by_the_chain(
    tmp_path: Path, statement: str, words: str
) -> None:
    registry = written(tmp_path)
    tamper(registry, statement)
    with pytest.raises(RegistryError, match=words) as caught:
        registry.verify()
    assert str(registry.path) in caught.value.message


TAMPERINGS_OF_THE_LAST = [
    "UPDATE ledger SET kind = 'other' WHERE seq = 3",
    "UPDATE ledger SET body = 'no JSON' WHERE seq = 3",
    "UPDATE ledger SET hash = 'other' WHERE seq = 3",
    "UPDATE ledger SET hash = CAST(x'ff' AS TEXT) WHERE seq = 3",
]


@pytest.mark.parametrize("statement", TAMPERINGS_OF_THE_LAST)
def test_a_changed_last_line_stops_no_writer_and_is_found_for_ever(tmp_path: Path, statement: str) -> None:
    registry = written(tmp_path)
    tamper(registry, statement)
    for _ in range(2):
        registry.append(THREE[:1])
        for read in (registry.verify, lambda: ledger_lines(registry)):
            with pytest.raises(RegistryError, match="line 3 was changed"):
                read()
    with closing(sqlite3.connect(registry.path)) as connection:
        lines = connection.execute("SELECT CAST(prev AS BLOB), CAST(hash AS BLOB) FROM ledger ORDER BY seq").fetchall()
    assert [prev for prev, _ in lines[3:]] == [stored for _, stored in lines[2:-1]]


def tamper(registry: SqliteRegistry, statement: str) -> None:
    with closing(sqlite3.connect(registry.path)) as connection:
        connection.execute("DROP TRIGGER ledger_is_never_rewritten")
        connection.execute("DROP TRIGGER ledger_is_never_cut")
        connection.execute(statement)
        connection.commit()


def test_lines_are_found_by_recipe_kind_and_number(tmp_path: Path) -> None:
    registry = SqliteRegistry(tmp_path / "canon.db")
    named = [("notes", "trial"), ("wiki", "trial"), ("notes", "promotion"), ("notes", "trial")]
    registry.append([LedgerEntry(NOW, kind, recipe, {"n": n}) for n, (recipe, kind) in enumerate(named)])
    assert [line.seq for line in ledger_lines(registry, "notes")] == [1, 3, 4]
    assert [line.seq for line in ledger_lines(registry, "notes")[-2:]] == [3, 4]
    assert [line.seq for line in ledger_lines(registry, kind="trial")] == [1, 2, 4]
    assert [line.seq for line in ledger_lines(registry)[-1:]] == [4]
    assert [line.seq for line in ledger_lines(registry, "notes", "trial")] == [1, 4]
    assert ledger_lines(registry, "nobody") == ()
