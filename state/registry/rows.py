"""Records as rows of their tables, each with a digest of its own."""

import hashlib
import json
import sqlite3
from typing import TypeVar

from state.codec import NotARecordError, canonical_json, dump, load, storable
from state.records import Canonical, Intent, Memory
from state.state_errors import RegistryDamagedError

T = TypeVar("T", Canonical, Memory, Intent)

# Each table's own check of its pages; together with the digests it leaves no byte that could lie.
TABLES = ("generation", "canonical", "memory", "intent")


def require_sound(connection: sqlite3.Connection) -> None:
    """Raises RegistryDamagedError for damaged pages, from which rows may be missing."""
    for table in TABLES:
        (verdict,) = connection.execute(f"PRAGMA quick_check('{table}')").fetchone()
        if verdict != "ok":
            raise RegistryDamagedError(f"it is damaged: {verdict}")


def seal(record: Canonical | Memory | Intent) -> tuple[str, str]:
    """The columns `record` and `digest`."""
    text = dump(record)
    return text, _digest(record.recipe, text)


def unseal(kind: type[T], recipe: str, text: str, digest: str) -> T:
    """The record of a row; raises RegistryDamagedError if it is not what was written."""
    try:
        record = load(text, kind)
    except NotARecordError as error:
        raise RegistryDamagedError(f"{kind.__name__.lower()} of {recipe!r}: {error}") from error
    if digest != _digest(record.recipe, text) or recipe != storable(record.recipe):
        raise RegistryDamagedError(f"{kind.__name__.lower()} of {recipe!r} was changed")
    return record


def named_in(text: str) -> tuple[str, ...]:
    """The recipe that a record names, also one that is no longer what was written; none where it names none."""
    try:
        named = json.loads(text)["recipe"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return ()
    return (named,) if isinstance(named, str) else ()


def _digest(recipe: str, text: str) -> str:
    return hashlib.sha256(canonical_json([recipe, text]).encode("ascii")).hexdigest()
