"""SQLite under $DATA_DIR, brought to this release's schema by the scripts in migrations/."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MIGRATIONS = Path(__file__).parent / "migrations"


@contextmanager
def transaction() -> Iterator[sqlite3.Connection]:
    """Run the `with` block as one transaction. Web process and worker wait here for each other."""
    database = sqlite3.connect(Path(os.environ["DATA_DIR"]) / "app.db", timeout=30, isolation_level=None)
    database.row_factory = sqlite3.Row
    try:
        database.execute("BEGIN IMMEDIATE")
        yield database
        database.execute("COMMIT")
    finally:
        database.close()


def migrate() -> None:
    """Run the scripts that were not yet run on this data. End the app if the data is of a newer release."""
    scripts = sorted(MIGRATIONS.glob("*.sql"))
    with transaction() as database:
        (seen,) = database.execute("PRAGMA user_version").fetchone()
        if seen > len(scripts):
            raise SystemExit(f"the data has schema {seen}, this release knows only {len(scripts)}")
        for script in scripts[seen:]:
            print(f"migrating: {script.name}", flush=True)
            for statement in script.read_text().split(";"):
                database.execute(statement)
        database.execute(f"PRAGMA user_version = {len(scripts)}")


def rows(query: str, *values: object) -> list[dict[str, object]]:
    """Return the rows that a query finds."""
    with transaction() as database:
        return [dict(row) for row in database.execute(query, values)]
