"""SQLite under $DATA_DIR, brought to this release's schema by the scripts in migrations/."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MIGRATIONS = Path(__file__).parent / "migrations"


@contextmanager
def transaction() -> Iterator[sqlite3.Connection]:
    """All of the block or nothing of it. Web process and worker wait here for one another."""
    database = sqlite3.connect(Path(os.environ["DATA_DIR"]) / "app.db", timeout=30, isolation_level=None)
    database.row_factory = sqlite3.Row
    try:
        database.execute("BEGIN IMMEDIATE")
        yield database
        database.execute("COMMIT")
    finally:
        database.close()


def migrate() -> None:
    """Run the scripts that this data has not seen; data of a newer release is refused."""
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
    """The rows that a query gives."""
    with transaction() as database:
        return [dict(row) for row in database.execute(query, values)]
