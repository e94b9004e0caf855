"""A cash book."""

import os

from days import kept
from serving import Given, serve
from store import migrate, rows, transaction


def front(_: Given) -> object:
    """Return the version of the app, and how many entries it has."""
    return {"version": os.environ["VERSION"]} | rows("SELECT count(*) AS entries FROM entry")[0]


def add(given: Given) -> object:
    """Enter an amount. The day is stored as 2025-11-24, however it was typed. Return the id of the entry."""
    day = kept(given["day"])
    values = (day, day[: len("2025-11")], given["text"], int(given["cents"]))
    insert = "INSERT INTO entry (day, month, text, cents, currency) VALUES (?, ?, ?, ?, 'EUR')"
    with transaction() as database:
        entry = database.execute(insert, values).lastrowid
    return {"id": entry}


def entries(_: Given) -> object:
    """Return all entries, in the order in which they were made."""
    return rows("SELECT day, text, cents, currency FROM entry ORDER BY id")


def balance(_: Given) -> object:
    """Return the sum of all entries in cents."""
    return rows("SELECT coalesce(sum(cents), 0) AS cents FROM entry")[0]


def months(_: Given) -> object:
    """Return the sum of the entries of each month, in cents."""
    return rows("SELECT month, sum(cents) AS cents FROM entry GROUP BY month ORDER BY month")


if __name__ == "__main__":
    migrate()
    pages = {"GET /": front, "GET /entries": entries, "GET /balance": balance, "GET /months": months}
    serve(pages | {"POST /entries": add})
