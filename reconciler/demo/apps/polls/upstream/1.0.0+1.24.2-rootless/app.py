"""Questions and votes."""

import os
import sqlite3

from serving import Given, RefusedError, serve
from store import migrate, rows, transaction


def front(_: Given) -> object:
    """Return the version of the app, and how many votes there are."""
    return {"version": os.environ["VERSION"]} | rows("SELECT count(*) AS votes FROM vote")[0]


def vote(given: Given) -> object:
    """Store a vote. Raise RefusedError if the voter has voted already."""
    values = (given["question"], given["voter"], given["choice"])
    try:
        with transaction() as database:
            database.execute("INSERT INTO vote (question, voter, choice) VALUES (?, ?, ?)", values)
    except sqlite3.IntegrityError as twice:
        raise RefusedError(409, "you have voted") from twice
    return {"choice": given["choice"]}


def result(given: Given) -> object:
    """Return the number of votes for each choice."""
    counted = "SELECT choice, count(*) AS votes FROM vote WHERE question = ? GROUP BY choice ORDER BY choice"
    return {str(row["choice"]): row["votes"] for row in rows(counted, given["question"])}


if __name__ == "__main__":
    migrate()
    serve({"GET /": front, "POST /votes": vote, "GET /result": result})
