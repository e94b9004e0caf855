"""The ledger: lines that are only appended, each with the hash of the line before."""

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence

from attrs import astuple, evolve, frozen

from state.codec import canonical_json, storable, time_of, time_text
from state.records import LedgerEntry, LedgerLine
from state.state_errors import RegistryDamagedError


@frozen
class LedgerRow:
    """One line just as it is stored: hashing texts rather than values finds every changed byte."""

    seq: int
    at: str
    kind: str
    recipe: str
    body: str
    prev: str
    hash: str


def hash_of(row: LedgerRow) -> str:
    """The hash that belongs to a row; its `hash` column does not count."""
    text = canonical_json([row.seq, row.at, row.kind, row.recipe, row.body, row.prev])
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def next_row(last: LedgerRow | None, entry: LedgerEntry) -> LedgerRow:
    """The row that records `entry` after `last`, None for the first."""
    seq, prev = (last.seq + 1, last.hash) if last else (1, "")
    at, kind, recipe = time_text(entry.at), storable(entry.kind), storable(entry.recipe)
    row = LedgerRow(seq, at, kind, recipe, canonical_json(dict(entry.body)), prev, "")
    return evolve(row, hash=hash_of(row))


def first_break(rows: Iterable[LedgerRow]) -> str | None:
    """How the chain breaks first, None if it holds. That lines are missing at its end cannot be seen from it."""
    last: LedgerRow | None = None
    for row in rows:
        seq, prev = (last.seq + 1, last.hash) if last else (1, "")
        if row.seq != seq:
            return f"line {seq} is missing"
        if row.prev != prev:
            return f"line {seq} does not follow the one before"
        if row.hash != hash_of(row):
            return f"line {seq} was changed"
        last = row
    return None


def line_of(row: LedgerRow) -> LedgerLine:
    """The line of a row; raises RegistryDamagedError if it is not what was written."""
    if row.hash != hash_of(row):
        raise RegistryDamagedError(f"line {row.seq} of the ledger was changed")
    return LedgerLine(
        row.seq, LedgerEntry(time_of(row.at), row.kind, row.recipe, json.loads(row.body)), row.prev, row.hash
    )


def append(connection: sqlite3.Connection, entries: Sequence[LedgerEntry]) -> None:
    """Append within the open transaction, also after a line that was changed: whoever reads the chain finds that one.

    The line's hash is taken as it is stored. A hash of what the line says by now would hide the change.
    """
    insert = "INSERT INTO ledger (seq, at, kind, recipe, body, prev, hash) VALUES (?, ?, ?, ?, ?, CAST(? AS TEXT), ?)"
    last = next(_rows(connection, limit=1), None)
    for entry in entries:
        last = next_row(last, entry)
        *before, prev, own = astuple(last)
        # A stored hash that was changed may be no UTF-8.
        connection.execute(insert, (*before, prev.encode("utf-8", "surrogateescape"), own))


def select(
    connection: sqlite3.Connection, recipe: str | None, kind: str | None, limit: int | None
) -> tuple[LedgerLine, ...]:
    """The last `limit` lines, None for all, of that recipe and kind, None for any; the oldest first.

    Raises RegistryDamagedError where the chain breaks, also outside of these lines.
    """
    verify(connection)
    return tuple(line_of(row) for row in _rows(connection, recipe, kind, limit))[::-1]


def verify(connection: sqlite3.Connection) -> None:
    """Raises RegistryDamagedError where the chain breaks."""
    query = "SELECT seq, at, kind, recipe, body, prev, hash FROM ledger ORDER BY seq"
    if broken := first_break(LedgerRow(*found) for found in connection.execute(query)):
        raise RegistryDamagedError(f"ledger: {broken}")


def _rows(
    connection: sqlite3.Connection, recipe: str | None = None, kind: str | None = None, limit: int | None = None
) -> Iterator[LedgerRow]:
    """The rows that match, the latest first."""
    query = """
        SELECT seq, at, kind, recipe, body, prev, hash FROM ledger
        WHERE (?1 IS NULL OR recipe = ?1) AND (?2 IS NULL OR kind = ?2) ORDER BY seq DESC LIMIT ?3
    """
    names = [None if name is None else storable(name) for name in (recipe, kind)]
    return (LedgerRow(*found) for found in connection.execute(query, (*names, -1 if limit is None else limit)))
