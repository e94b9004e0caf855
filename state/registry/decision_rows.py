"""Writes holds and rollbacks (what a person decided about a recipe), in the open transaction."""

import sqlite3
from typing import Final

from state.codec import storable
from state.decisions import Hold, Rollback
from state.records import Canonical
from state.registry import rows
from state.state_errors import OnHoldError, RegistryError

_TABLES: Final = {Hold: "hold", Rollback: "rolled_back"}


def replace(connection: sqlite3.Connection, decision: Hold | Rollback) -> None:
    """Record a decision in the open transaction, in place of an earlier one of the same kind on the same recipe."""
    connection.execute(
        f"INSERT OR REPLACE INTO {_TABLES[type(decision)]} (recipe, record, digest) VALUES (?, ?, ?)",  # noqa: S608
        (storable(decision.recipe), *rows.seal(decision)),
    )


def delete(connection: sqlite3.Connection, decision: Hold | Rollback) -> None:
    """Delete a decision, in the open transaction.

    Raise RegistryError if exactly this decision is not recorded, for example because somebody has replaced it.
    """
    table, recipe = _TABLES[type(decision)], (storable(decision.recipe),)
    stored = connection.execute(f"SELECT recipe, record, digest FROM {table} WHERE recipe = ?", recipe).fetchone()  # noqa: S608
    # The text is not compared: an earlier Canon wrote it without the fields that have come since.
    if stored is None or _read(decision, stored) != decision:
        raise RegistryError(f"the {type(decision).__name__.lower()} of {decision.recipe!r} was changed meanwhile")
    connection.execute(f"DELETE FROM {table} WHERE recipe = ?", recipe)  # noqa: S608


def _read(alike: Hold | Rollback, stored: tuple[str, str, str]) -> Hold | Rollback:
    """Return the decision in the row `stored`, of the same kind as `alike`."""
    return rows.unseal(Hold, *stored) if isinstance(alike, Hold) else rows.unseal(Rollback, *stored)


def require_no_hold(connection: sqlite3.Connection, canonical: Canonical) -> None:
    """Raise OnHoldError if the recipe of a new canonical is on hold on the day of its promotion."""
    query = "SELECT recipe, record, digest FROM hold WHERE recipe = ?"
    for stored in connection.execute(query, (storable(canonical.recipe),)):
        hold = rows.unseal(Hold, *stored)
        if not hold.is_over(canonical.promoted_at.date()):
            raise OnHoldError(f"{hold.recipe!r} is on hold: {hold.reason}")
