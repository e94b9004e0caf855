"""A cash book."""

import os

from days import kept
from serving import Given, serve
from store import migrate, rows, transaction


def front(_: Given) -> object:
    """What this is, and how many entries it holds."""
    return {"version": os.environ["VERSION"]} | rows("SELECT count(*) AS entries FROM entry")[0]


def add(given: Given) -> object:
    """Enter an amount; the day is kept as 2025-11-24, however it was typed."""
    day = kept(given["day"])
    values = (day, day[: len("2025-11")], given["text"], int(given["cents"]))
    insert = "INSERT INTO entry (day, month, text, cents, currency) VALUES (?, ?, ?, ?, 'EUR')"
    with transaction() as database:
        entry = database.execute(insert, values).lastrowid
    return {"id": entry}


def entries(_: Given) -> object:
    """All entries as they were made."""
    return rows("SELECT day, text, cents, currency FROM entry ORDER BY id")


def balance(_: Given) -> object:
    """What is in the box."""
    return rows("SELECT coalesce(sum(cents), 0) AS cents FROM entry")[0]


def months(_: Given) -> object:
    """What came in and went out, month by month."""
    return rows("SELECT month, sum(cents) AS cents FROM entry GROUP BY month ORDER BY month")


if __name__ == "__main__":
    migrate()
    pages = {"GET /": front, "GET /entries": entries, "GET /balance": balance, "GET /months": months}
    serve(pages | {"POST /entries": add})
