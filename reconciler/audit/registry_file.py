"""Reads the registry from a private copy, only with SQLite and without Canon's own code for the registry."""

import os
import shutil
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from attrs import field, frozen

from reconciler.audit.claims import Claim, checked, differs

_COPIES = 200
_PAUSE = 0.05
# Tables whose rows hold a record as JSON text, with a digest of it.
_WITH_RECORDS = "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql LIKE '%record TEXT%' ORDER BY name"


@frozen
class RecordRow:
    """One row of a table with records.

    * `table`: the name of the table.
    * `recipe`: the recipe that the record is about.
    * `generation`: the number of its generation; None if the table has no such column.
    * `record`: the record as JSON text.
    * `digest`: the SHA-256 that is stored with the record.
    """

    table: str
    recipe: str
    generation: int | None
    record: str
    digest: str


@frozen
class LineOfLedger:
    """One line of the ledger, as it is stored.

    * `seq`: the number of the line, from 1 on.
    * `at`: its time.
    * `kind`: what the line is about, such as "intent".
    * `recipe`: the recipe that the line is about; "" for none.
    * `body`: its JSON text.
    * `prev`: the hash of the line before.
    * `hash`: its own hash.
    """

    seq: int
    at: str
    kind: str
    recipe: str
    body: str
    prev: str
    hash: str


@frozen
class StoredRows:
    """All rows of the registry, and the claims about its file.

    * `records`: the rows of all tables with records.
    * `generations`: the number of the last generation of each recipe.
    * `ledger`: all lines of the ledger, in order.
    * `head`: the number and hash of the ledger's last line, as the registry stores them beside the ledger; None if it
      stores none.
    * `claims`: the claims about the file.
    """

    records: tuple[RecordRow, ...] = ()
    generations: Mapping[str, int] = field(factory=dict)
    ledger: tuple[LineOfLedger, ...] = ()
    head: tuple[int, str] | None = None
    claims: tuple[Claim, ...] = ()

    def of(self, table: str, recipe: str) -> tuple[RecordRow, ...]:
        """Return the rows of the table `table` that are about one recipe, in the order of generations."""
        return tuple(row for row in self.records if (row.table, row.recipe) == (table, recipe))


def read_registry(path: Path, scripts: Sequence[str]) -> StoredRows:
    """Return all rows of the registry in the file `path`, and a claim about the file.

    If there is no file, return neither rows nor a claim. If SQLite cannot read the file, return only a claim that says
    so. Raise OSError if the file cannot be copied.

    `scripts` are SQL scripts. The first N of them make an empty registry of format N. The claim disagrees if a registry
    of format N has other tables or triggers than this empty one.
    """
    if not os.path.lexists(path):
        return StoredRows()
    try:
        with _copied(path) as connection:
            problems = _problems(connection, scripts)
            return _read(connection, checked("", "registry file", *problems))
    except (sqlite3.Error, UnicodeError) as error:
        return StoredRows(claims=(checked("", "registry file", f"{path.name} cannot be read: {error}"),))


@contextmanager
def _copied(path: Path) -> Iterator[sqlite3.Connection]:
    """Yield a connection to a private copy of the database. Delete the copy afterwards.

    If a killed writer has left a change half done, SQLite rolls it back in the copy. The registry itself stays as it
    is.
    """
    with TemporaryDirectory(prefix="canon-audit-") as folder:
        copy = Path(folder, path.name)
        _copy(path, copy)
        with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
            connection.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
            yield connection


def _copy(path: Path, to: Path) -> None:
    """Copy the database `path` and its journal, as both were at one moment. Raise OSError if they change too often."""
    journal, copied_journal = (file.with_name(f"{file.name}-journal") for file in (path, to))
    for _ in range(_COPIES):
        before = _facts(path), _facts(journal)
        shutil.copyfile(path, to)
        copied_journal.unlink(missing_ok=True)
        with suppress(FileNotFoundError):
            shutil.copyfile(journal, copied_journal)
        if (_facts(path), _facts(journal)) == before:
            return
        time.sleep(_PAUSE)
    raise OSError("it changes too often")


def _facts(file: Path) -> tuple[int, int, int, int] | None:
    """Return the inode, size in bytes, mtime and ctime (in ns) of a file; None if there is no such file."""
    try:
        info = file.stat()
    except FileNotFoundError:
        return None
    return info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns


def _problems(connection: sqlite3.Connection, scripts: Sequence[str]) -> Iterator[str]:
    """Yield a text for each fault of the registry: in its pages, its format, its tables or its triggers.

    A text "" comes from a check that found nothing, and is no problem. `scripts` are SQL scripts. The first N of them
    make an empty registry of format N.
    """
    found = [text for (text,) in connection.execute("PRAGMA integrity_check") if text != "ok"]
    yield f"SQLite finds damage: {found[0]}" if found else ""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if not 0 < version <= len(scripts):
        yield f"it has format {version}, and this program knows 1 to {len(scripts)}"
        return
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as blank:
        blank.executescript("\n".join(scripts[:version]))
        expected, present = _schema(blank), _schema(connection)
        yield differs("its application id", _application(connection), _application(blank))
    yield from (f"{name} is missing" for name in sorted(expected.keys() - present.keys()))
    yield from (f"{name} was added" for name in sorted(present.keys() - expected.keys()))
    yield from (f"{name} was changed" for name, sql in expected.items() if present.get(name, sql) != sql)


def _application(connection: sqlite3.Connection) -> int:
    (number,) = connection.execute("PRAGMA application_id").fetchone()
    return int(number)


def _schema(connection: sqlite3.Connection) -> dict[str, str]:
    """Return the SQL text of each table, index and trigger, by kind and name such as "table ledger".

    Tables, indexes and triggers that SQLite made itself are left out.
    """
    query = "SELECT type || ' ' || name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name"
    return dict(connection.execute(query))


def _read(connection: sqlite3.Connection, claim: Claim) -> StoredRows:
    """Return all rows of the database, and `claim`, which is the claim about the file of the database."""
    tables = [name for (name,) in connection.execute(_WITH_RECORDS)]
    lines = connection.execute("SELECT seq, at, kind, recipe, body, prev, hash FROM ledger ORDER BY seq")
    return StoredRows(
        tuple(row for table in tables for row in _record_rows(connection, table)),
        dict(connection.execute("SELECT recipe, last FROM generation ORDER BY recipe")),
        tuple(LineOfLedger(*line) for line in lines),
        _head(connection),
        (claim,),
    )


def _record_rows(connection: sqlite3.Connection, table: str) -> list[RecordRow]:
    """Return all rows of the table `table`.

    The name of the table must come from SQLite itself, because it becomes part of the query.
    """
    columns = {row[1] for row in connection.execute(f"PRAGMA table_info('{table}')")}
    generation = "generation" if "generation" in columns else "NULL"
    query = f"SELECT recipe, {generation}, record, digest FROM {table} ORDER BY 1, 2"  # noqa: S608  SQLite's own name
    return [RecordRow(table, *columns) for columns in connection.execute(query)]


def _head(connection: sqlite3.Connection) -> tuple[int, str] | None:
    """Return the number and hash of the ledger's last line, as the registry stores them beside the ledger.

    Return None if the registry's format does not have them; (0, "") if they are not stored yet.
    """
    if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'ledger_head'").fetchone():
        return None
    row = connection.execute("SELECT seq, hash FROM ledger_head").fetchone()
    return (row[0], row[1]) if row else (0, "")
