"""Keeps notes in SQLite: `prepare` makes the table and ends, `serve` serves; `dump` and `load` are a backup's hooks."""

import sqlite3
import sys

from notes import Notes, serve

DATABASE, DUMP = Notes.folder / "notes.db", Notes.folder / "dump.sql"
# Each brings a database of the format that is its place here to the next.
STEPS = (
    "CREATE TABLE note (name TEXT PRIMARY KEY, words BLOB NOT NULL) STRICT",
    "ALTER TABLE note ADD COLUMN size INTEGER AS (length(words))",
)


def connected():
    return sqlite3.connect(DATABASE, timeout=30, isolation_level=None)


def format_of(database):
    return database.execute("PRAGMA user_version").fetchone()[0]


class Store(Notes):
    def healthy(self):
        # Served from before `prepare` is done, but not healthy.
        return format_of(connected()) == len(STEPS)

    def do_GET(self):
        if self.path == "/health":
            return super().do_GET()
        found = connected().execute("SELECT words FROM note WHERE name = ?", [self.path]).fetchone()
        return self.answer(200, found[0]) if found else self.answer(404)

    def do_PUT(self):
        connected().execute("INSERT OR REPLACE INTO note (name, words) VALUES (?, ?)", [self.path, self.body()])
        self.answer(204)


def prepare():
    database = connected()
    for number, step in enumerate(STEPS[format_of(database) :], format_of(database) + 1):
        database.executescript(f"BEGIN; {step}; PRAGMA user_version = {number}; COMMIT;")


def dump():
    lines = [*connected().iterdump(), f"PRAGMA user_version = {format_of(connected())};"]
    DUMP.write_text("\n".join(lines))


def load():
    database = connected()
    database.executescript("DROP TABLE note;" + DUMP.read_text())
    DUMP.unlink()


{"prepare": prepare, "serve": lambda: serve(Store), "dump": dump, "load": load}[sys.argv[1]]()
