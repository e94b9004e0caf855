"""Letters to the members; a worker sends them."""

import os

from serving import Given, serve
from store import migrate, rows, transaction


def front(_: Given) -> object:
    """Return the version of the app, and how many letters are not sent yet."""
    return {"version": os.environ["VERSION"]} | rows("SELECT count(*) AS waiting FROM letter WHERE sent = 0")[0]


def write(given: Given) -> object:
    """Put a letter into the queue. Return its id."""
    values = (given["to"], given["text"])
    with transaction() as database:
        return {"id": database.execute("INSERT INTO letter (recipient, text) VALUES (?, ?)", values).lastrowid}


if __name__ == "__main__":
    migrate()
    serve({"GET /": front, "POST /letters": write})
