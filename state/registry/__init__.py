"""The registry: one SQLite file with the canonicals and the memory of each recipe, and with the ledger."""
