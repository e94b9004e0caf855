"""One line of the ledger, as it is read."""

from attrs import frozen

from state.records import LedgerEntry


@frozen
class LedgerLine:
    """One line of the ledger. `seq` is its number, counted from 1 over all lines."""

    seq: int
    entry: LedgerEntry
