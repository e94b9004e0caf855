"""Reads the lines of a ledger for tests: with the hashes that Canon itself never returns."""

import json

from attrs import frozen

from state.codec import time_of
from state.records import LedgerEntry
from state.registry import database, ledger
from state.registry.registry import SqliteRegistry


@frozen
class StoredLine:
    """One line of the ledger as written; `prev` is the hash of the line before, "" for the first."""

    seq: int
    entry: LedgerEntry
    prev: str
    hash: str


def line_of(row: ledger.LedgerRow) -> StoredLine:
    """Return the line of a row, with the body read from its JSON text."""
    entry = LedgerEntry(time_of(row.at), row.kind, row.recipe, json.loads(row.body))
    return StoredLine(row.seq, entry, row.prev, row.hash)


def ledger_lines(registry: SqliteRegistry, recipe: str = "", kind: str = "") -> tuple[StoredLine, ...]:
    """Return the lines of that recipe and kind, "" for any, the oldest first.

    Raise RegistryError where the chain breaks.
    """
    with database.reading(registry.path) as view:
        if view is None:
            return ()
        ledger.verify(view.connection)
        lines = tuple(map(line_of, ledger.rows_of(view.connection)))
    return tuple(line for line in lines if recipe in {"", line.entry.recipe} and kind in {"", line.entry.kind})
