"""Questions and votes."""

import os
import sqlite3

from serving import Given, RefusedError, serve
from store import migrate, rows, transaction


def front(_: Given) -> object:
    """What this is, and how many votes were given."""
    return {"version": os.environ["VERSION"]} | rows("SELECT count(*) AS votes FROM vote")[0]


def vote(given: Given) -> object:
    """Take a vote; a second one by the same voter is refused."""
    values = (given["question"], given["voter"], given["choice"])
    try:
        with transaction() as database:
            database.execute("INSERT INTO vote (question, voter, choice) VALUES (?, ?, ?)", values)
    except sqlite3.IntegrityError as twice:
        raise RefusedError(409, "you have voted") from twice
    return {"choice": given["choice"]}


def result(given: Given) -> object:
    """The votes for each choice."""
    counted = "SELECT choice, count(*) AS votes FROM vote WHERE question = ? GROUP BY choice ORDER BY choice"
    return {str(row["choice"]): row["votes"] for row in rows(counted, given["question"])}


if __name__ == "__main__":
    migrate()
    serve({"GET /": front, "POST /votes": vote, "GET /result": result})
