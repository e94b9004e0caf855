"""Turns records into rows of the registry's tables, and back. Each row has a digest."""

import hashlib
import json
import sqlite3
from typing import TypeVar

from state.codec import NotARecordError, canonical_json, dump, load, storable
from state.decisions import Hold, Rollback
from state.drift_record import DriftRecord
from state.records import Canonical, Intent, Memory
from state.state_errors import RegistryDamagedError

T = TypeVar("T", Canonical, Memory, Intent, Hold, Rollback, DriftRecord)

# SQLite checks the pages of these tables, and the digests cover the rows: together they detect every changed byte.
TABLES = ("generation", "canonical", "memory", "intent", "hold", "rolled_back", "drift")


def require_sound(connection: sqlite3.Connection) -> None:
    """Check the pages of all tables with records. Raise RegistryDamagedError if one is damaged: it may lack rows."""
    for table in TABLES:
        (verdict,) = connection.execute(f"PRAGMA quick_check('{table}')").fetchone()
        if verdict != "ok":
            raise RegistryDamagedError(f"it is damaged: {verdict}")


def seal(record: Canonical | Memory | Intent | Hold | Rollback | DriftRecord) -> tuple[str, str]:
    """Return the JSON text and the digest of a record, for the columns `record` and `digest`."""
    text = dump(record)
    return text, _digest(record.recipe, text)


def record_digest(canonical: Canonical) -> str:
    """Return the digest that is stored in the row of this canonical."""
    return seal(canonical)[1]


def unseal(kind: type[T], recipe: str, text: str, digest: str) -> T:
    """Return the record of a row.

    * `kind`: the class of the record.
    * `recipe`, `text`, `digest`: the columns of the row.

    Raise RegistryDamagedError if the columns are not as they were written.
    """
    try:
        record = load(text, kind)
    except NotARecordError as error:
        raise RegistryDamagedError(f"{kind.__name__.lower()} of {recipe!r}: {error}") from error
    if digest != _digest(record.recipe, text) or recipe != storable(record.recipe):
        raise RegistryDamagedError(f"{kind.__name__.lower()} of {recipe!r} was changed")
    return record


def replace_drift(connection: sqlite3.Connection, record: DriftRecord) -> None:
    """Replace the drift record of a recipe by `record`. If `record` has no differences, only delete the old one."""
    connection.execute("DELETE FROM drift WHERE recipe = ?", (storable(record.recipe),))
    if record.since:
        row = (storable(record.recipe), *seal(record))
        connection.execute("INSERT INTO drift (recipe, record, digest) VALUES (?, ?, ?)", row)


def named_in(text: str) -> tuple[str, ...]:
    """Return the name of the recipe in `text`, the JSON text of a record, as a tuple with this one name.

    Return () if the text names no recipe, or is so damaged that it is no JSON.
    """
    try:
        recipe = json.loads(text)["recipe"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return ()
    return (recipe,) if isinstance(recipe, str) else ()


def _digest(recipe: str, text: str) -> str:
    return hashlib.sha256(canonical_json([recipe, text]).encode("ascii")).hexdigest()
