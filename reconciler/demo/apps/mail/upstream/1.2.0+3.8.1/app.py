"""Letters to the members; a worker sends them."""

import os

from serving import Given, serve
from store import migrate, rows, transaction


def front(_: Given) -> object:
    """What this is, and how many letters wait."""
    return {"version": os.environ["VERSION"]} | rows("SELECT count(*) AS waiting FROM letter WHERE sent = 0")[0]


def write(given: Given) -> object:
    """Queue a letter."""
    values = (given["to"], given["text"])
    with transaction() as database:
        return {"id": database.execute("INSERT INTO letter (recipient, text) VALUES (?, ?)", values).lastrowid}


if __name__ == "__main__":
    migrate()
    serve({"GET /": front, "POST /letters": write})
