"""The registry: the canonicals and open intents of all recipes, what is remembered of each, and the ledger."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from attrs import frozen

from state.codec import storable
from state.records import Canonical, Intent, LedgerEntry, Memory, Records
from state.registry import database, ledger, rows
from state.state_errors import RegistryDamagedError, RegistryError

T = TypeVar("T")


@frozen
class SqliteRegistry:
    """The registry in one SQLite file, made by the first write. Every call opens it; every write is one transaction.

    Reading changes nothing and works while another process writes. All calls raise RegistryError for a damaged file,
    AgainLaterError for a full disk or a file that stays busy.
    """

    path: Path

    # ---- reading ----

    def read(self) -> Records:
        with database.reading(self.path) as view:
            if view is None:
                return Records()
            rows.require_sound(view.connection)
            return _records(view)

    def generations(self, recipe: str) -> tuple[Canonical, ...]:
        """Return all canonicals of the recipe since it was last forgotten, the latest first.

        A damaged row is left out.
        """
        query = "SELECT generation, recipe, record, digest FROM canonical WHERE recipe = ? ORDER BY generation DESC"
        with database.reading(self.path) as view:
            found = view.connection.execute(query, (storable(recipe),)) if view else ()
            return tuple(_readable(_canonical, found, {}))

    def verify(self) -> None:
        """Check the whole chain of the ledger. Raise RegistryError for the first line that is not what was written."""
        with database.reading(self.path) as view:
            if view:
                ledger.verify(view.connection)

    # ---- writing ----

    def flush(self) -> None:
        """Flush to the disk what a killed process wrote last. Call it after a crash, before acting on what is read."""
        database.flush(self.path)

    def begin(self, intent: Intent, entries: Sequence[LedgerEntry]) -> None:
        """Record the intent of a promotion. Raise RegistryError while the recipe already has an open intent."""
        insert = "INSERT INTO intent (recipe, generation, record, digest) VALUES (?, ?, ?, ?)"
        with database.writing(self.path) as connection:
            connection.execute(insert, (storable(intent.recipe), intent.generation, *rows.seal(intent)))
            ledger.append(connection, entries)

    def commit(self, canonical: Canonical, intent: Intent, entries: Sequence[LedgerEntry]) -> None:
        """Record a new canonical and end its intent. Raise RegistryError unless `intent` is open and belongs to it."""
        if differing := _differing(canonical, intent):
            raise RegistryError(f"canonical of {canonical.recipe!r} and its intent differ in {differing}")
        with database.writing(self.path) as connection:
            _end(connection, intent)
            _insert(connection, canonical)
            ledger.append(connection, entries)

    def abandon(self, intent: Intent, entries: Sequence[LedgerEntry]) -> None:
        """End an intent without a promotion. Raise RegistryError unless it is open."""
        with database.writing(self.path) as connection:
            _end(connection, intent)
            ledger.append(connection, entries)

    def remember(self, memories: Sequence[Memory], entries: Sequence[LedgerEntry]) -> None:
        """Replace what is remembered of recipes, and append to the ledger. With nothing to write, open no file."""
        if not memories and not entries:
            return
        insert = "INSERT OR REPLACE INTO memory (recipe, record, digest) VALUES (?, ?, ?)"
        with database.writing(self.path) as connection:
            for memory in memories:
                connection.execute(insert, (storable(memory.recipe), *rows.seal(memory)))
            ledger.append(connection, entries)

    def forget(self, recipe: str, entries: Sequence[LedgerEntry]) -> None:
        """Delete a recipe's canonicals, its open intent and what is remembered of it; append `entries` to the ledger.

        Keeps the number of its last generation, so that no number is used twice.
        """
        with database.writing(self.path) as connection:
            connection.execute("DELETE FROM canonical WHERE recipe = ?", (storable(recipe),))
            connection.execute("DELETE FROM memory WHERE recipe = ?", (storable(recipe),))
            connection.execute("DELETE FROM intent WHERE recipe = ?", (storable(recipe),))
            ledger.append(connection, entries)

    def append(self, entries: Sequence[LedgerEntry]) -> None:
        self.remember((), entries)


def _records(view: database.View) -> Records:
    """Return all records; a damaged row affects its own recipe only."""
    bad: dict[str, str] = {}
    canonicals = _readable(_canonical, view.connection.execute(_PRESENT), bad)
    memories = _readable(partial(rows.unseal, Memory), view.connection.execute(_OF_RECIPE.format("memory")), bad)
    intents = _readable(partial(rows.unseal, Intent), view.connection.execute(_OF_RECIPE.format("intent")), bad)
    return Records(
        {canonical.recipe: canonical for canonical in canonicals if canonical.recipe not in bad},
        {memory.recipe: memory for memory in memories if memory.recipe not in bad},
        tuple(intent for intent in intents if intent.recipe not in bad),
        dict(view.connection.execute("SELECT recipe, last FROM generation ORDER BY recipe")),
        view.copied,
        bad,
    )


# The canonical of each recipe's last generation. Where that row is lost, no older one takes its place.
_PRESENT = """
    SELECT last, recipe, record, digest FROM canonical AS each LEFT JOIN generation USING (recipe)
    WHERE generation = (SELECT max(generation) FROM canonical WHERE recipe = each.recipe) ORDER BY recipe
"""
_OF_RECIPE = "SELECT recipe, record, digest FROM {} ORDER BY recipe"


def _readable(unseal: Callable[..., T], found: Iterable[tuple[Any, ...]], bad: dict[str, str]) -> list[T]:
    """Return the records of the readable rows.

    For an unreadable row, add the reason to `bad` under each recipe that the row may belong to.
    """
    records: list[T] = []
    for row in found:
        try:
            records.append(unseal(*row))
        except RegistryDamagedError as error:
            *_, recipe, text, _ = row
            bad |= {name: error.message for name in (recipe, *rows.named_in(text)) if name not in bad}
    return records


def _canonical(generation: int | None, recipe: str, text: str, digest: str) -> Canonical:
    canonical = rows.unseal(Canonical, recipe, text, digest)
    if canonical.generation != generation:
        raise RegistryDamagedError(f"the last generation of {recipe!r} is lost")
    return canonical


def _differing(canonical: Canonical, intent: Intent) -> str:
    names = ("recipe", "version", "commit", "generation")
    return ", ".join(name for name in names if getattr(canonical, name) != getattr(intent, name))


def _end(connection: sqlite3.Connection, intent: Intent) -> None:
    text, _ = rows.seal(intent)
    ended = connection.execute(
        "DELETE FROM intent WHERE recipe = ? AND record = ?", (storable(intent.recipe), text)
    ).rowcount
    if ended != 1:
        raise RegistryError(f"no intent {intent.op!r} is open")


def _insert(connection: sqlite3.Connection, canonical: Canonical) -> None:
    recipe = storable(canonical.recipe)
    connection.execute(
        "INSERT INTO generation (recipe, last) VALUES (?1, ?2) ON CONFLICT (recipe) DO UPDATE SET last = ?2",
        (recipe, canonical.generation),
    )
    connection.execute(
        "INSERT INTO canonical (recipe, generation, record, digest) VALUES (?, ?, ?, ?)",
        (recipe, canonical.generation, *rows.seal(canonical)),
    )
