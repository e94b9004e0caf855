"""The registry: the records of all recipes, such as canonicals, open intents and memories, and the ledger."""

import sqlite3
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from attrs import frozen

from state.codec import storable
from state.decisions import Hold, Rollback
from state.drift_record import DriftRecord
from state.ledger_line import LedgerLine
from state.records import Canonical, Intent, LedgerEntry, Memory, Records
from state.registry import database, decision_rows, ledger, rows
from state.state_errors import RegistryDamagedError, RegistryError

T = TypeVar("T")
R = TypeVar("R", Canonical, Memory, Hold, Rollback)


@frozen
class SqliteRegistry:
    """The registry in the SQLite file `path`. The first write makes the file. Every write is one transaction.

    Reading changes nothing, and works while another process writes. All methods raise RegistryError for a damaged file,
    AgainLaterError if the disk is full or the file stays locked.
    """

    path: Path

    # ---- reading ----

    def read(self) -> Records:
        """Return the records of all recipes; empty Records if there is no file yet."""
        with database.reading(self.path) as view:
            if view is None:
                return Records()
            rows.require_sound(view.connection)
            return _records(view)

    def generations(self, recipe: str) -> tuple[Canonical, ...]:
        """Return the recorded generations of a recipe since it was last forgotten, the newest first.

        A generation whose row is damaged is left out.
        """
        query = "SELECT generation, recipe, record, digest FROM canonical WHERE recipe = ? ORDER BY generation DESC"
        with database.reading(self.path) as view:
            stored = view.connection.execute(query, (storable(recipe),)) if view else ()
            return tuple(_readable(_canonical, stored, {}))

    def lines(self, after: int = 0, kind: str | None = None) -> tuple[LedgerLine, ...]:
        """Return the readable lines after number `after`, the oldest first. `kind` selects one kind; None for all."""
        with database.reading(self.path) as view:
            return tuple(ledger.lines_of(view.connection, after, kind)) if view else ()

    def verify(self) -> None:
        """Check the chain of hashes of the whole ledger. Raise RegistryError if a line was changed or is missing."""
        with database.reading(self.path) as view:
            if view:
                ledger.verify(view.connection)

    # ---- writing ----

    def flush(self) -> None:
        """Write to the disk what a killed process left in memory. Call this after a crash, before records are read."""
        database.flush(self.path)

    def begin(self, intent: Intent, entries: Sequence[LedgerEntry]) -> None:
        """Record an intent; raise RegistryError if its recipe has one already. Append `entries` to the ledger."""
        insert = "INSERT INTO intent (recipe, generation, record, digest) VALUES (?, ?, ?, ?)"
        with database.writing(self.path) as connection:
            connection.execute(insert, (storable(intent.recipe), intent.generation, *rows.seal(intent)))
            ledger.append(connection, entries)

    def commit(self, canonical: Canonical, intent: Intent, entries: Sequence[LedgerEntry]) -> None:
        """Record a promoted canonical, and delete its intent. Append `entries` to the ledger.

        Raise OnHoldError if the recipe is on hold, RegistryError if `intent` is not recorded or not of this canonical.
        """
        with database.writing(self.path) as connection:
            decision_rows.require_no_hold(connection, canonical)
            _replace_intent(connection, intent, canonical)
            ledger.append(connection, entries)

    def roll_back(
        self, canonical: Canonical, intent: Intent, rollback: Rollback, entries: Sequence[LedgerEntry]
    ) -> None:
        """Record `rollback`, and `canonical`, a copy of an older generation. Delete the intent of this rollback.

        Append `entries` to the ledger. Raise RegistryError if `intent` is not recorded, or is of another canonical.
        """
        with database.writing(self.path) as connection:
            _replace_intent(connection, intent, canonical)
            decision_rows.replace(connection, rollback)
            ledger.append(connection, entries)

    def set_hold(self, hold: Hold, entries: Sequence[LedgerEntry]) -> None:
        """Record a hold. It replaces an earlier hold of the same recipe. Append `entries` to the ledger."""
        with database.writing(self.path) as connection:
            decision_rows.replace(connection, hold)
            ledger.append(connection, entries)

    def end_decisions(self, ended: Sequence[Hold | Rollback], entries: Sequence[LedgerEntry]) -> None:
        """Delete the holds and rollbacks `ended`, and append `entries` to the ledger.

        If a decision in `ended` is no longer recorded, raise RegistryError and delete none.
        """
        with database.writing(self.path) as connection:
            for decision in ended:
                decision_rows.delete(connection, decision)
            ledger.append(connection, entries)

    def abandon(self, intent: Intent, entries: Sequence[LedgerEntry]) -> None:
        """Delete `intent`, and append `entries` to the ledger. Raise RegistryError if that intent is not recorded."""
        with database.writing(self.path) as connection:
            _end(connection, intent)
            ledger.append(connection, entries)

    def remember(self, memories: Sequence[Memory], entries: Sequence[LedgerEntry]) -> None:
        """Record `memories` in place of earlier ones. Append `entries` to the ledger. Do nothing if both are empty."""
        if not memories and not entries:
            return
        insert = "INSERT OR REPLACE INTO memory (recipe, record, digest) VALUES (?, ?, ?)"
        with database.writing(self.path) as connection:
            for memory in memories:
                connection.execute(insert, (storable(memory.recipe), *rows.seal(memory)))
            ledger.append(connection, entries)

    def record_drift(self, changed: Sequence[DriftRecord], entries: Sequence[LedgerEntry]) -> None:
        """Record each of `changed` in place of the earlier drift record of its recipe. Append `entries` to the ledger.

        If a new record has no differences, only delete the earlier record.
        """
        with database.writing(self.path) as connection:
            for record in changed:
                rows.replace_drift(connection, record)
            ledger.append(connection, entries)

    def forget(self, recipe: str, entries: Sequence[LedgerEntry]) -> None:
        """Delete all records of a recipe. Append `entries` to the ledger, whose earlier lines stay.

        The number of the recipe's last generation stays recorded, so that no number is used twice.
        """
        with database.writing(self.path) as connection:
            for table in ("canonical", "memory", "intent", "hold", "rolled_back", "drift"):
                connection.execute(f"DELETE FROM {table} WHERE recipe = ?", (storable(recipe),))  # noqa: S608
            ledger.append(connection, entries)

    def append(self, entries: Sequence[LedgerEntry]) -> None:
        """Append `entries` to the ledger."""
        self.remember((), entries)


def _records(view: database.View) -> Records:
    """Return all records. A recipe with a damaged row is left out: `Records.unreadable` has the reason instead."""
    bad: dict[str, str] = {}
    canonicals = _readable(_canonical, view.connection.execute(_PRESENT), bad)
    memories = _readable(partial(rows.unseal, Memory), view.connection.execute(_OF_RECIPE.format("memory")), bad)
    intents = _readable(partial(rows.unseal, Intent), view.connection.execute(_OF_RECIPE.format("intent")), bad)
    holds = _readable(partial(rows.unseal, Hold), view.connection.execute(_OF_RECIPE.format("hold")), bad)
    rollbacks = _readable(
        partial(rows.unseal, Rollback), view.connection.execute(_OF_RECIPE.format("rolled_back")), bad
    )
    drift = _readable(partial(rows.unseal, DriftRecord), view.connection.execute(_OF_RECIPE.format("drift")), {})
    return Records(
        _by_recipe(canonicals, bad),
        _by_recipe(memories, bad),
        tuple(intent for intent in intents if intent.recipe not in bad),
        dict(view.connection.execute("SELECT recipe, last FROM generation ORDER BY recipe")),
        view.copied,
        bad,
        _by_recipe(holds, bad),
        _by_recipe(rollbacks, bad),
        {record.recipe: record for record in drift},
    )


def _by_recipe(records: Iterable[R], bad: Collection[str]) -> dict[str, R]:
    """Return the records by recipe. Records of recipes in `bad` are left out."""
    return {record.recipe: record for record in records if record.recipe not in bad}


# The canonical of each recipe's last generation. If that row is lost, an older one must not take its place.
_PRESENT = """
    SELECT last, recipe, record, digest FROM canonical AS each LEFT JOIN generation USING (recipe)
    WHERE generation = (SELECT max(generation) FROM canonical WHERE recipe = each.recipe) ORDER BY recipe
"""
_OF_RECIPE = "SELECT recipe, record, digest FROM {} ORDER BY recipe"


def _readable(unseal: Callable[..., T], stored: Iterable[tuple[Any, ...]], bad: dict[str, str]) -> list[T]:
    """Return a record for each row in `stored`, in the same order. `unseal` makes the record from the row.

    Leave out a row that cannot be read. For each recipe to which that row may belong, add the reason to `bad`.
    """
    records: list[T] = []
    for row in stored:
        try:
            records.append(unseal(*row))
        except RegistryDamagedError as error:
            *_, recipe, text, _ = row
            bad |= {name: error.message for name in (recipe, *rows.named_in(text)) if name not in bad}
    return records


def _canonical(generation: int | None, recipe: str, text: str, digest: str) -> Canonical:
    """Return the canonical in a row. Raise RegistryDamagedError if the row is damaged, or has another `generation`."""
    canonical = rows.unseal(Canonical, recipe, text, digest)
    if canonical.generation != generation:
        raise RegistryDamagedError(f"the last generation of {recipe!r} is lost")
    return canonical


def _replace_intent(connection: sqlite3.Connection, intent: Intent, canonical: Canonical) -> None:
    """Delete `intent`, and record its `canonical`. Raise RegistryError if the two differ, or if `intent` is missing."""
    if differing := _differing(canonical, intent):
        raise RegistryError(f"canonical of {canonical.recipe!r} and its intent differ in {differing}")
    _end(connection, intent)
    _insert(connection, canonical)


def _differing(canonical: Canonical, intent: Intent) -> str:
    """Return the names of the fields in which a canonical and its intent differ; "" for none."""
    names = ("recipe", "version", "commit", "generation")
    return ", ".join(name for name in names if getattr(canonical, name) != getattr(intent, name))


def _end(connection: sqlite3.Connection, intent: Intent) -> None:
    """Delete the intent. Raise RegistryError if exactly this intent is not recorded."""
    text, _ = rows.seal(intent)
    ended = connection.execute(
        "DELETE FROM intent WHERE recipe = ? AND record = ?", (storable(intent.recipe), text)
    ).rowcount
    if ended != 1:
        raise RegistryError(f"no intent {intent.op!r} is open")


def _insert(connection: sqlite3.Connection, canonical: Canonical) -> None:
    """Insert a canonical, and record its generation as the recipe's last one."""
    recipe = storable(canonical.recipe)
    connection.execute(
        "INSERT INTO generation (recipe, last) VALUES (?1, ?2) ON CONFLICT (recipe) DO UPDATE SET last = ?2",
        (recipe, canonical.generation),
    )
    connection.execute(
        "INSERT INTO canonical (recipe, generation, record, digest) VALUES (?, ?, ?, ?)",
        (recipe, canonical.generation, *rows.seal(canonical)),
    )
