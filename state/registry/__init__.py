"""The registry: one SQLite file with the canonicals, what is remembered of each recipe, and the ledger."""
