"""A cash book."""

import os

from serving import Given, serve
from store import migrate, rows, transaction


def front(_: Given) -> object:
    """Return the version of the app, and how many entries it has."""
    return {"version": os.environ["VERSION"]} | rows("SELECT count(*) AS entries FROM entry")[0]


def add(given: Given) -> object:
    """Enter an amount. The day is stored as it was typed, such as 24.11.2025. Return the id of the entry."""
    values = (given["day"], given["text"], int(given["cents"]))
    with transaction() as database:
        entry = database.execute("INSERT INTO entry (day, text, cents) VALUES (?, ?, ?)", values).lastrowid
    return {"id": entry}


def entries(_: Given) -> object:
    """Return all entries, in the order in which they were made."""
    return rows("SELECT day, text, cents FROM entry ORDER BY id")


def balance(_: Given) -> object:
    """Return the sum of all entries in cents."""
    return rows("SELECT coalesce(sum(cents), 0) AS cents FROM entry")[0]


if __name__ == "__main__":
    migrate()
    serve({"GET /": front, "POST /entries": add, "GET /entries": entries, "GET /balance": balance})
