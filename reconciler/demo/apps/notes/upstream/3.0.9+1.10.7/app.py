"""Notes with labels; a worker indexes their words."""

import os

from serving import Given, RefusedError, serve
from store import migrate, rows, transaction


def front(_: Given) -> object:
    """Return the title and version of the app, and how many notes it has."""
    (counted,) = rows("SELECT count(*) AS notes FROM note")
    return {"title": os.environ["TITLE"], "version": os.environ["VERSION"]} | counted


def add(given: Given) -> object:
    """Store a note, and put it into the queue for the worker."""
    if not given["title"].strip():
        raise RefusedError(422, "a note needs a title")
    with transaction() as database:
        note = database.execute(
            "INSERT INTO note (title, text, labels) VALUES (?, ?, ?)",
            (given["title"], given["text"], given.get("labels", "")),
        ).lastrowid
        database.execute("INSERT INTO job (note) VALUES (?)", (note,))
    return {"id": note}


def notes(_: Given) -> object:
    """Return all notes, the oldest first."""
    return [
        note | {"labels": sorted(label for label in str(note["labels"]).split(",") if label)}
        for note in rows("SELECT title, text, labels FROM note ORDER BY id")
    ]


def search(given: Given) -> object:
    """Return the titles of the notes with a word."""
    found = rows(
        "SELECT DISTINCT title FROM note JOIN word ON word.note = note.id WHERE word.word = ? ORDER BY title",
        given["word"],
    )
    return [row["title"] for row in found]


if __name__ == "__main__":
    migrate()
    serve({"GET /": front, "POST /notes": add, "GET /notes": notes, "GET /search": search})
