"""The ledger: a log in which each line has the hash of the line before. Lines are appended, and never changed."""

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from attrs import astuple, evolve, frozen

from state.codec import canonical_json, storable, time_of, time_text
from state.ledger_line import LedgerLine
from state.records import LedgerEntry
from state.state_errors import RegistryDamagedError

_SELECT = "SELECT seq, at, kind, recipe, body, prev, hash FROM ledger"


@frozen
class LedgerRow:
    """One line of the ledger exactly as it is stored. Its texts are hashed as stored, so any changed byte is found.

    `hash` is the hash of this line. `prev` is the hash of the line before, "" for the first line.
    """

    seq: int
    at: str
    kind: str
    recipe: str
    body: str
    prev: str
    hash: str


def hash_of(row: LedgerRow) -> str:
    """Return the SHA-256 of all columns of a row except `hash`, in hexadecimal."""
    text = canonical_json([row.seq, row.at, row.kind, row.recipe, row.body, row.prev])
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def next_row(last: LedgerRow | None, entry: LedgerEntry) -> LedgerRow:
    """Return the row for `entry`, which comes after the row `last`. `last` is None if this is the first row."""
    seq, prev = (last.seq + 1, last.hash) if last else (1, "")
    at, kind, recipe = time_text(entry.at), storable(entry.kind), storable(entry.recipe)
    row = LedgerRow(seq, at, kind, recipe, canonical_json(dict(entry.body)), prev, "")
    return evolve(row, hash=hash_of(row))


def first_break(rows: Iterable[LedgerRow]) -> str | None:
    """Return what is wrong with the first line that was changed or is missing, such as "line 7 was changed".

    Return None if no line is wrong. Lines that are missing at the end are not noticed.
    """
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


def append(connection: sqlite3.Connection, entries: Sequence[LedgerEntry]) -> None:
    """Append entries to the ledger, in the open transaction. Earlier lines are not checked.

    The first new line stores the hash that is stored in the last old line. The old line's hash is not computed again.
    If the old line was changed, it no longer fits its hash, and `verify` finds that later.
    """
    insert = "INSERT INTO ledger (seq, at, kind, recipe, body, prev, hash) VALUES (?, ?, ?, ?, ?, CAST(? AS TEXT), ?)"
    last = _last_row(connection)
    for entry in entries:
        last = next_row(last, entry)
        *before, prev, own = astuple(last)
        # A stored hash may have been changed to bytes that are not UTF-8.
        connection.execute(insert, (*before, prev.encode("utf-8", "surrogateescape"), own))


def verify(connection: sqlite3.Connection) -> None:
    """Check the hashes of all lines. Raise RegistryDamagedError for the first line that was changed or is missing."""
    broken = first_break(rows_of(connection)) or _missing_at_the_end(connection)
    if broken:
        raise RegistryDamagedError(f"ledger: {broken}")


def _missing_at_the_end(connection: sqlite3.Connection) -> str | None:
    """Return a message if the last line is not the one that `ledger_head` names as the last. Return None if it is."""
    head = connection.execute("SELECT seq, hash FROM ledger_head").fetchone() or (0, "")
    last = _last_row(connection)
    if head == ((last.seq, last.hash) if last else (0, "")):
        return None
    return f"its last line is {last.seq if last else 'missing'}, and line {head[0]} was appended last"


def rows_of(connection: sqlite3.Connection) -> Iterator[LedgerRow]:
    """Yield all rows as they are stored, the oldest first."""
    return (LedgerRow(*columns) for columns in connection.execute(f"{_SELECT} ORDER BY seq"))


def lines_of(connection: sqlite3.Connection, after: int, kind: str | None) -> Iterator[LedgerLine]:
    """Yield the lines whose number is greater than `after`, the oldest first. `kind` selects one kind; None for all.

    A line that cannot be read is left out. `verify` finds such a line.
    """
    query = f"{_SELECT} WHERE seq > ?1 AND (?2 IS NULL OR kind = ?2) ORDER BY seq"
    return _readable_lines(connection.execute(query, (after, kind)))


def latest_lines(connection: sqlite3.Connection, kind: str) -> Iterator[LedgerLine]:
    """Yield the lines of one kind, the newest first. Lines that cannot be read are left out."""
    return _readable_lines(connection.execute(f"{_SELECT} WHERE kind = ? ORDER BY seq DESC", (kind,)))


def _readable_lines(stored: Iterable[tuple[Any, ...]]) -> Iterator[LedgerLine]:
    for columns in stored:
        row = LedgerRow(*columns)
        with suppress(ValueError, TypeError, RecursionError):
            body = json.loads(row.body)
            if isinstance(body, dict):
                yield LedgerLine(row.seq, LedgerEntry(time_of(row.at), row.kind, row.recipe, body))


def _last_row(connection: sqlite3.Connection) -> LedgerRow | None:
    """Return the last row; None for an empty ledger."""
    columns = connection.execute(f"{_SELECT} ORDER BY seq DESC LIMIT 1").fetchone()
    return LedgerRow(*columns) if columns else None
