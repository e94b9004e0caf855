"""Turns errors of SQLite and of the registry into errors that name the file and what to do."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from state.folder.durable import file_errors
from state.folder.folder import StateFolder
from state.state_errors import MAKE_ROOM, AgainLaterError, RegistryDamagedError, RegistryError, StateError


def journal_of(path: Path) -> Path:
    """Return the path of the journal of the database `path`."""
    return path.with_name(f"{path.name}-journal")


@contextmanager
def registry_errors(path: Path) -> Iterator[None]:
    """Turn an error of SQLite in the `with` block into a StateError with a hint on what to do.

    The message of every error names `path`, the file of the registry.
    """
    try:
        with file_errors("open it", RegistryError):
            yield
    except sqlite3.ProgrammingError:
        raise
    except sqlite3.DatabaseError as error:
        raise _by_remedy(path, error) from error
    except UnicodeDecodeError as error:
        # sqlite3 raises this for a message of SQLite that quotes damaged bytes.
        raise RegistryDamagedError(f"registry {path}: it is damaged", _ways_out(path)) from error
    except RegistryDamagedError as error:
        raise RegistryDamagedError(f"registry {path}: {error.message}", _ways_out(path)) from error
    except StateError as error:
        raise type(error)(f"registry {path}: {error.message}", error.hint) from error


# Only these mean that the file itself is damaged. For any other error, moving the file away would lose data.
_OF_THE_FILE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_FORMAT})
_KEEP = "leave the registry where it is"
_CAUSES = dict.fromkeys((sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED), "another process uses it: ")
_LATER = {
    sqlite3.SQLITE_BUSY: "try again in a minute",
    sqlite3.SQLITE_LOCKED: "try again in a minute",
    sqlite3.SQLITE_FULL: MAKE_ROOM,
    sqlite3.SQLITE_IOERR: f"check the disk, its quota and the limit on the size of files (ulimit -f); {_KEEP}",
    sqlite3.SQLITE_NOMEM: f"give this host more memory; {_KEEP}",
}
_FOR_A_PERSON = {
    sqlite3.SQLITE_CONSTRAINT: "",
    sqlite3.SQLITE_READONLY: f"let this user write to it, and mount its disk for writing; {_KEEP}",
    sqlite3.SQLITE_CANTOPEN: f"let this user open it, and check its disk; {_KEEP}",
    sqlite3.SQLITE_PERM: f"let this user open it; {_KEEP}",
}


def _by_remedy(path: Path, error: sqlite3.DatabaseError) -> StateError:
    """Return the StateError for an error of SQLite. Its class and its hint depend on what can be done about it."""
    # The low byte is the primary code. Errors that Python itself raises, as in decoding a text, have no code.
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
    if code in _LATER:
        return AgainLaterError(f"registry {path}: {_CAUSES.get(code, '')}{error}", _LATER[code])
    if code in _OF_THE_FILE:
        return RegistryDamagedError(f"registry {path}: {error}", _ways_out(path))
    return RegistryError(f"registry {path}: refused: {error}", _FOR_A_PERSON.get(code, _KEEP))


def _ways_out(path: Path) -> str:
    """Return the hint for a damaged registry: restore the registry, or move it, its journal and the snapshots away.

    A file or folder that does not exist is left out of the hint.
    """
    files = (path, journal_of(path), StateFolder(path.parent).canonicals)
    existing = " and ".join(str(file) for file in files if os.path.lexists(file))
    return f"restore it from a backup; or move {existing} away, keep that, and every recipe starts again"
