"""Records as rows of their tables, each with a digest of its own."""

import hashlib
import sqlite3
from typing import TypeVar

from state.codec import NotARecordError, canonical_json, dump, load, storable
from state.errors import RegistryError
from state.model import Canonical, Intent, Memory

T = TypeVar("T", Canonical, Memory, Intent)

# Each table's own check of its pages; together with the digests it leaves no byte that could lie.
TABLES = ("generation", "canonical", "memory", "intent")


def require_sound(connection: sqlite3.Connection) -> None:
    """Raises RegistryError for damaged pages, from which rows may be missing."""
    for table in TABLES:
        (verdict,) = connection.execute(f"PRAGMA quick_check('{table}')").fetchone()
        if verdict != "ok":
            raise RegistryError(f"it is damaged: {verdict}", "bring it back from a backup")


def seal(record: Canonical | Memory | Intent) -> tuple[str, str]:
    """The columns `record` and `digest`."""
    text = dump(record)
    return text, _digest(record.recipe, text)


def unseal(kind: type[T], recipe: str, text: str, digest: str) -> T:
    """The record of a row; raises RegistryError if it is not what was written."""
    try:
        record = load(text, kind)
    except NotARecordError as error:
        raise RegistryError(f"{kind.__name__.lower()} of {recipe!r}: {error}", "bring it back from a backup") from error
    if digest != _digest(record.recipe, text) or recipe != storable(record.recipe):
        raise RegistryError(f"{kind.__name__.lower()} of {recipe!r} was changed", "bring it back from a backup")
    return record


def _digest(recipe: str, text: str) -> str:
    return hashlib.sha256(canonical_json([recipe, text]).encode("ascii")).hexdigest()
