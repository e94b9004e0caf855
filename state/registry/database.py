"""Opens the registry's file: for reading, which changes nothing, or for one transaction that writes."""

import os
import sqlite3
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from attrs import frozen

from state.folder.durable import create_once, replace_file, sync_folder
from state.folder.folder import StateFolder
from state.folder.holders import kernel_locks
from state.registry.registry_faults import journal_of, registry_errors
from state.state_errors import AgainLaterError, RegistryDamagedError, RegistryError

APPLICATION = int.from_bytes(b"Can.")
# One script for each format: script n upgrades a database from format n to n + 1.
_SCRIPTS = ("schema.sql", "holds.sql", "drift.sql", "ledger_head.sql")
STEPS = tuple(Path(__file__).with_name(name).read_text("ascii") for name in _SCRIPTS)
BUSY_SECONDS = 30.0
_COPIES = 100


@frozen
class View:
    """The registry in one read transaction.

    `copied` is True if a private copy is read, because a killed writer left a journal. SQLite undid in the copy what
    the writer had not committed.
    """

    connection: sqlite3.Connection
    copied: bool


@contextmanager
def reading(path: Path, steps: Sequence[str] = STEPS) -> Iterator[View | None]:
    """Open the registry for reading. Yield it as a View; None if there is no registry yet.

    Nothing in its folder is changed. `steps` are scripts that upgrade a registry by one format each. A registry of an
    older format is upgraded in a private copy. Raise RegistryError if the registry cannot be read, AgainLaterError if
    it stays locked.
    """
    with registry_errors(path):
        if not _is_there(path):
            yield None
            return
        if not _is_journal_left(path):
            with closing(_connect(path, "ro")) as connection:
                if not _must_roll_back(connection) and _format(connection, steps) == len(steps):
                    yield View(connection, copied=False)
                    return
        with _private_copy(path) as view, _transaction(view.connection):
            upgrade(view.connection, _format(view.connection, steps), steps)
            yield view


@contextmanager
def writing(path: Path, steps: Sequence[str] = STEPS) -> Iterator[sqlite3.Connection]:
    """Open the registry for one transaction, and yield the connection. Make the file if it is missing.

    The transaction is committed durably, or rolled back if the `with` block fails. `steps` are scripts that upgrade a
    registry by one format each. A registry of an older format is first copied to the path that `copy_before` returns,
    and then upgraded in this transaction.
    """
    with registry_errors(path):
        if not _is_there(path):
            create_once(path, blank(steps))
        with closing(_connect(path, "rw")) as connection:
            # EXTRA also flushes the folder after the journal is deleted. With FULL, a power cut right after a commit
            # may bring the journal back, and the commit would be rolled back.
            connection.execute("PRAGMA synchronous = EXTRA")
            connection.execute("PRAGMA foreign_keys = ON")
            with _transaction(connection):
                version = _format(connection, steps)
                if version < len(steps):
                    replace_file(copy_before(path, version), connection.serialize())
                upgrade(connection, version, steps)
                yield connection


def copy_before(path: Path, version: int) -> Path:
    """Return the path of the copy made before a registry of format `version` is upgraded, such as canon.db.format-3."""
    return path.with_name(f"{path.name}.format-{version}")


def flush(path: Path) -> None:
    """Write the registry to the disk, if there is one, so that a power cut does not undo what is read afterwards."""
    with registry_errors(path):
        if _is_there(path):
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            sync_folder(path.parent)


def blank(steps: Sequence[str] = STEPS) -> bytes:
    """Return the content of an empty registry's file, as the scripts `steps` make it. No intact registry is smaller."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        with _transaction(connection):
            upgrade(connection, 0, steps)
        return connection.serialize()


def upgrade(connection: sqlite3.Connection, version: int, steps: Sequence[str]) -> None:
    """Upgrade a database from the format `version` to the newest one, in the open transaction.

    The script `steps[n]` upgrades from format n to n + 1. A database without tables has format 0.
    """
    for number, script in enumerate(steps[version:], version + 1):
        for statement in _statements(script):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {number}")


def _statements(script: str) -> Iterator[str]:
    """Yield the SQL statements of a script one by one, because `executescript` would commit the open transaction."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _is_there(path: Path) -> bool:
    """Return whether the database exists. Raise RegistryDamagedError if it is no file, or if it was lost.

    A missing database was lost if its journal or a snapshot is there. Then no new database must be made: SQLite would
    apply the old journal to it, and the recipes of the snapshots would count as never promoted.
    """
    try:
        path.lstat()
    except FileNotFoundError:
        if journal_of(path).exists():
            raise RegistryDamagedError("it is gone, but its journal is there") from None
        sealed = StateFolder(path.parent).canonicals
        if sealed.is_dir() and any(sealed.iterdir()):
            raise RegistryDamagedError("it is gone, but the snapshots that it records are there") from None
        return False
    if not stat.S_ISREG(path.stat().st_mode):
        raise RegistryDamagedError("it is not a file")
    return True


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    """Return a connection to the database. `mode` is "ro" (read only) or "rw"."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}", timeout=BUSY_SECONDS, isolation_level=None, uri=True
    )
    # A text that is not UTF-8 damages one row, whose digest shows it. Without this, the whole query would fail.
    connection.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
    return connection


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Run the `with` block in a transaction: commit at its end, roll back if it fails."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _is_journal_left(path: Path) -> bool:
    """Return whether a killed writer has left a journal: SQLite's file by which unfinished changes are undone.

    It has if nobody has a write lock on the database, and the journal is the same before and after this was looked up:
    a living writer deletes its journal before it unlocks. SQLite must not open a database with such a journal: as root,
    it would change the journal's owner, and reading must change nothing.
    """
    before = _file_facts(journal_of(path))
    is_owned = any(lock.mode == "WRITE" for lock in kernel_locks(path.stat().st_ino))
    return before is not None and not is_owned and _file_facts(journal_of(path)) == before


def _must_roll_back(connection: sqlite3.Connection) -> bool:
    """Begin a read transaction. Return whether a killed writer left a journal that must be rolled back."""
    connection.execute("BEGIN")
    try:
        connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_READONLY_ROLLBACK:
            return True
        raise
    return False


def _format(connection: sqlite3.Connection, steps: Sequence[str]) -> int:
    """Return the number of the database's format. The newest known format is as great as the number of `steps`.

    Raise RegistryError if the database is no registry, or has a newer format.
    """
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION or version < 1:
        raise RegistryDamagedError("it is not a registry of Canon")
    if version > len(steps):
        raise RegistryError(f"it has format {version}, and this program knows {len(steps)}", "use a newer Canon")
    return int(version)


@contextmanager
def _private_copy(path: Path) -> Iterator[View]:
    """Yield a View of a copy of the database in a temporary folder, where a killed writer's journal is rolled back."""
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(prefix="canon-registry-") as folder:
        copy = Path(folder) / path.name
        with_journal = _copy(path, copy)
        with closing(_connect(copy, "rw")) as connection:
            yield View(connection, with_journal)


def _copy(path: Path, to: Path) -> bool:
    """Copy the database and its journal to `to`, as both were at one moment. Return whether there was a journal.

    If a pass changes one of the two meanwhile, copy both again. Raise AgainLaterError after `_COPIES` copies. This
    process must not have the database open: closing a file ends all POSIX locks that the process has on that file.
    """
    import shutil

    for _ in range(_COPIES):
        database, journal = _file_facts(path), _file_facts(journal_of(path))
        shutil.copyfile(path, to)
        journal_of(to).unlink(missing_ok=True)
        with suppress(FileNotFoundError):
            shutil.copyfile(journal_of(path), journal_of(to))
        is_unchanged = (_file_facts(path), _file_facts(journal_of(path))) == (database, journal)
        if is_unchanged and _is_journal_left(path) == (journal is not None):
            return journal is not None
        time.sleep(0.01)
    raise AgainLaterError("it changes too often to be read")


def _file_facts(file: Path) -> tuple[int, int, int, int] | None:
    """Return the inode, size, mtime and ctime of a file; None if there is none."""
    try:
        info = file.stat()
    except FileNotFoundError:
        return None
    return info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns
