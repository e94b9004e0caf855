"""A cash book."""

import os

from serving import Given, serve
from store import migrate, rows, transaction


def front(_: Given) -> object:
    """What this is, and how many entries it holds."""
    return {"version": os.environ["VERSION"]} | rows("SELECT count(*) AS entries FROM entry")[0]


def add(given: Given) -> object:
    """Enter an amount; the day is kept as it was typed, such as 24.11.2025."""
    values = (given["day"], given["text"], int(given["cents"]))
    with transaction() as database:
        entry = database.execute("INSERT INTO entry (day, text, cents) VALUES (?, ?, ?)", values).lastrowid
    return {"id": entry}


def entries(_: Given) -> object:
    """All entries as they were made."""
    return rows("SELECT day, text, cents FROM entry ORDER BY id")


def balance(_: Given) -> object:
    """What is in the box."""
    return rows("SELECT coalesce(sum(cents), 0) AS cents FROM entry")[0]


if __name__ == "__main__":
    migrate()
    serve({"GET /": front, "POST /entries": add, "GET /entries": entries, "GET /balance": balance})
