"""Notes with labels; a worker indexes their words."""

import os

from serving import Given, RefusedError, serve
from store import migrate, rows, transaction


def front(_: Given) -> object:
    """Return the title and version of the app, and how many notes it has."""
    (counted,) = rows("SELECT count(*) AS notes FROM note")
    return {"title": os.environ["TITLE"], "version": os.environ["VERSION"]} | counted


def add(given: Given) -> object:
    """Store a note with its labels, and put it into the queue for the worker."""
    if not given["title"].strip():
        raise RefusedError(422, "a note needs a title")
    labels = {label.strip() for label in given.get("labels", "").split(",") if label.strip()}
    with transaction() as database:
        values = (given["title"], given["text"])
        note = database.execute("INSERT INTO note (title, text) VALUES (?, ?)", values).lastrowid
        database.executemany("INSERT INTO label (note, label) VALUES (?, ?)", [(note, label) for label in labels])
        database.execute("INSERT INTO job (note) VALUES (?)", (note,))
    return {"id": note}


def notes(given: Given) -> object:
    """Return all notes, or those with one label, the oldest first."""
    wanted = given.get("label")
    found = [
        {
            "title": note["title"],
            "text": note["text"],
            "labels": [
                row["label"] for row in rows("SELECT label FROM label WHERE note = ? ORDER BY label", note["id"])
            ],
        }
        for note in rows("SELECT id, title, text FROM note ORDER BY id")
    ]
    return [note for note in found if wanted is None or wanted in note["labels"]]


def search(given: Given) -> object:
    """Return the titles of the notes with a word, in upper or lower case."""
    found = rows(
        "SELECT DISTINCT title FROM note JOIN word ON word.note = note.id WHERE word.word = ? ORDER BY title",
        given["word"].lower(),
    )
    return [row["title"] for row in found]


if __name__ == "__main__":
    migrate()
    serve({"GET /": front, "POST /notes": add, "GET /notes": notes, "GET /search": search})
