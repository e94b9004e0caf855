"""Changes one byte or one row of a state folder. Each change says by what words an audit has to name it."""

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random
from string import ascii_lowercase, digits

from attrs import frozen

_KEYS = {
    "canonical": ("recipe", "generation"),
    "memory": ("recipe",),
    "hold": ("recipe",),
    "drift": ("recipe",),
    "generation": ("recipe",),
    "ledger": ("seq",),
    "ledger_head": ("one",),
}
# What an audit calls the rows of a table.
_CALLED = {
    "canonical": "generation",
    "memory": "memory",
    "hold": "hold",
    "drift": "drift",
    "generation": "last generation",
    "ledger": "line",
    "ledger_head": "its last line",
}


@frozen
class Tampering:
    """What was changed, and `words` that one claim which disagrees must have in its recipe, its name or its reason."""

    what: str
    words: tuple[str, ...]


# ---- rows ----


def change_row(state: Path, random: Random) -> Tampering:
    """Change one byte of one column of a row."""
    with _unguarded(state) as connection:
        table, key, values = _any_row(connection, random)
        column = random.choice([name for name in values if name != "one"])
        before = values[column]
        after = before + 1000 if isinstance(before, int) else _other_byte(str(before), random)
        _write(connection, table, key, {column: after})
        return Tampering(f"{column} of {table} {key}: {before!r} became {after!r}", (_CALLED[table],))


def delete_row(state: Path, random: Random) -> Tampering:
    """Delete a row."""
    with _unguarded(state) as connection:
        table, key, _ = _any_row(connection, random)
        connection.execute(f"DELETE FROM {table} WHERE {_where(key)}", tuple(key.values()))  # noqa: S608
        return Tampering(f"{table} {key} was deleted", (_CALLED[table],))


def forge_record(state: Path, random: Random) -> Tampering:
    """Change a record of a canonical, and its digest with it."""
    with _unguarded(state) as connection:
        rows = connection.execute("SELECT recipe, generation, record FROM canonical").fetchall()
        recipe, generation, text = random.choice(rows)
        record = json.loads(text)
        parts = {"a finding": record["evidence"]["findings"], "a lineage": record["lineage"]}
        part = random.choice(sorted(parts))
        parts[part].append("0.0.1")
        forged = json.dumps(record, sort_keys=True, separators=(",", ":"))
        digest = hashlib.sha256(json.dumps([recipe, forged], separators=(",", ":")).encode()).hexdigest()
        key = {"recipe": recipe, "generation": generation}
        _write(connection, "canonical", key, {"record": forged, "digest": digest})
        return Tampering(f"{part} was added to {key}", (recipe, f"record of generation {generation}"))


@contextmanager
def _unguarded(state: Path) -> Iterator[sqlite3.Connection]:
    """Open the registry without its triggers, and put them back at the end."""
    with closing(sqlite3.connect(state / "canon.db", isolation_level=None)) as connection:
        triggers = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("PRAGMA synchronous = OFF")
        yield connection
        for _, sql in triggers:
            connection.execute(sql)


def _any_row(connection: sqlite3.Connection, random: Random) -> tuple[str, dict[str, object], dict[str, object]]:
    """Return a table, the key of one of its rows, and that row."""
    connection.row_factory = sqlite3.Row
    filled = [name for name in _KEYS if connection.execute(f"SELECT 1 FROM {name}").fetchone()]  # noqa: S608
    table = random.choice(filled)
    rows = [dict(row) for row in connection.execute(f"SELECT * FROM {table}")]  # noqa: S608
    row = random.choice(rows)
    return table, {name: row[name] for name in _KEYS[table]}, row


def _write(connection: sqlite3.Connection, table: str, key: Mapping[str, object], values: Mapping[str, object]) -> None:
    assigned = ", ".join(f"{name} = ?" for name in values)
    connection.execute(
        f"UPDATE {table} SET {assigned} WHERE {_where(key)}",  # noqa: S608
        (*values.values(), *key.values()),
    )


def _where(key: Mapping[str, object]) -> str:
    return " AND ".join(f"{name} = ?" for name in key)


def _other_byte(text: str, random: Random) -> str:
    at = random.randrange(len(text)) if text else 0
    other = random.choice([each for each in ascii_lowercase + digits if each != text[at : at + 1]])
    return text[:at] + other + text[at + 1 :]


# ---- files ----


def change_snapshot(state: Path, random: Random) -> Tampering:
    """Change one byte of a snapshot's tar or manifest, or delete the file."""
    path = random.choice(sorted(state.glob("canonicals/*/*/*")))
    recipe, generation = path.parent.parent.name, path.parent.name
    return Tampering(_spoil(path, random), (recipe, f"snapshot of generation {generation}", path.name))


def change_mirror_object(state: Path, random: Random) -> Tampering:
    """Change one byte of a pack or of its index, or delete the file."""
    packs = sorted(path for path in state.glob("mirrors/*.git/objects/pack/*") if path.suffix in {".pack", ".idx"})
    path = random.choice(packs)
    recipe = path.parents[2].stem
    return Tampering(_spoil(path, random), (recipe, "mirror: "))


def change_mirror_ref(state: Path, random: Random) -> Tampering:
    """Change one byte of a ref in `packed-refs`, or of the symbolic HEAD; or delete a line."""
    path = random.choice(sorted(state.glob("mirrors/*.git/packed-refs")))
    if not random.randrange(8):
        path = path.with_name("HEAD")
    lines = path.read_text().splitlines()
    number = random.choice([number for number, line in enumerate(lines) if not line.startswith("#")])
    is_deleted = path.name != "HEAD" and not random.randrange(5)
    changed = [] if is_deleted else [_other_byte(lines[number], random)]
    path.write_text("".join(f"{line}\n" for line in [*lines[:number], *changed, *lines[number + 1 :]]))
    return Tampering(f"{lines[number]!r} of {path} became {changed}", (path.parent.stem, "mirror"))


def _spoil(path: Path, random: Random) -> str:
    """Change one byte of a file, or delete it; return what was done."""
    if not random.randrange(10):
        path.unlink()
        return f"{path} was deleted"
    content = bytearray(path.read_bytes())
    at = random.randrange(len(content))
    content[at] ^= 1 << random.randrange(8)
    path.chmod(0o600)
    path.write_bytes(content)
    return f"byte {at} of {path} was changed"


TAMPERINGS: Mapping[str, tuple[Callable[[Path, Random], Tampering], int]] = {
    "a byte of a row": (change_row, 90),
    "a row deleted": (delete_row, 30),
    "a record with its digest": (forge_record, 20),
    "a snapshot": (change_snapshot, 60),
    "an object of a mirror": (change_mirror_object, 40),
    "a ref of a mirror": (change_mirror_ref, 60),
}
"""Ways to tamper, each with the number of times that the tests try it: 300 together."""
