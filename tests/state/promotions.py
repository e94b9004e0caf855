"""Records promotions in a registry. Fast to import, since killed child processes use it too."""

import sqlite3
from contextlib import closing
from pathlib import Path

from attrs import evolve

from state.records import Canonical, Intent, LedgerEntry
from state.registry.registry import SqliteRegistry
from tests.values import NOW, canonical

COMMIT = "c" * 40
ENTRY = LedgerEntry(NOW, "note", "notes", {"said": "so"})


def release(generation: int, recipe: str = "notes") -> Canonical:
    """Return the canonical of one generation, with the generation in its version."""
    return evolve(canonical(f"{generation}.0.0", COMMIT, recipe), generation=generation)


def intent_of(wanted: Canonical) -> Intent:
    op = f"pass-1:{wanted.recipe}:{wanted.version}"
    return Intent(op, wanted.recipe, wanted.version, wanted.commit, wanted.generation, NOW)


def promote(registry: SqliteRegistry, wanted: Canonical) -> None:
    registry.begin(intent_of(wanted), [LedgerEntry(NOW, "intent", wanted.recipe, {})])
    registry.commit(wanted, intent_of(wanted), [LedgerEntry(NOW, "promotion", wanted.recipe, {})])


def spoil(database: Path, generation: int) -> None:
    """Damage the record of a generation directly in the database, without the registry's triggers."""
    with closing(sqlite3.connect(database)) as connection, connection:
        rules = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in rules:
            connection.execute(f"DROP TRIGGER {name}")
        changed = connection.execute("UPDATE canonical SET record = '{}' WHERE generation = ?", (generation,))
        assert changed.rowcount == 1
        for _, rule in rules:
            connection.execute(rule)
