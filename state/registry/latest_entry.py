"""Finds the newest entry of one kind in the ledger, without reading the whole ledger."""

from collections.abc import Callable
from pathlib import Path

from state.records import LedgerEntry
from state.registry import database, ledger


def latest_entry(path: Path, kind: str, is_wanted: Callable[[LedgerEntry], bool]) -> LedgerEntry | None:
    """Return the newest ledger entry of the kind `kind` for which `is_wanted` returns True; None if there is none.

    `path` is the file of the registry. Raise RegistryError if the registry is damaged.
    """
    with database.reading(path) as view:
        lines = ledger.latest_lines(view.connection, kind) if view else ()
        return next((line.entry for line in lines if is_wanted(line.entry)), None)
