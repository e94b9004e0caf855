"""The registry: one SQLite file with the records of each recipe, such as its canonicals, and with the ledger."""
