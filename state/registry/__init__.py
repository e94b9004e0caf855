"""The registry: one SQLite file with the canonicals, the memory of each recipe, and the ledger."""
