"""One line of the ledger, as it is read."""

from attrs import frozen

from state.records import LedgerEntry


@frozen
class LedgerLine:
    """One line of the ledger. `seq` counts all lines from 1."""

    seq: int
    entry: LedgerEntry
