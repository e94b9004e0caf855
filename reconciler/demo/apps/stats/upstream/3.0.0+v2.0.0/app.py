"""Counts visits; a worker adds them up."""

import os

from places import place_of
from serving import Given, serve
from store import migrate, rows, transaction


def front(_: Given) -> object:
    """Return the version of the app, and how many visits are not added up yet."""
    return {"version": os.environ["VERSION"]} | rows("SELECT count(*) AS waiting FROM visit")[0]


def visit(given: Given) -> object:
    """Put a visit into the queue. Only its place is stored, not its network. Return the place."""
    place = place_of(given["network"])
    with transaction() as database:
        database.execute("INSERT INTO visit (page, place) VALUES (?, ?)", (given["page"], place))
    return {"place": place}


def totals(given: Given) -> object:
    """Return the visits of a page by place, as far as they are added up."""
    found = rows("SELECT place, visits FROM total WHERE page = ? ORDER BY place", given["page"])
    return {str(row["place"]): row["visits"] for row in found}


if __name__ == "__main__":
    migrate()
    serve({"GET /": front, "POST /visits": visit, "GET /totals": totals})
