"""The data of a stack at rest: its volumes, and backups as its own labels ask for them."""
