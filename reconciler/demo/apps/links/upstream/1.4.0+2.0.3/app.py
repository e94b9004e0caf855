"""Short names for long addresses."""

import os

import book
from serving import Given, RefusedError, serve


def front(_: Given) -> object:
    """Return the version of the app, and how many links it has."""
    return {"version": os.environ["VERSION"], "links": len(book.load())}


def add(given: Given) -> object:
    """Give an address a short name. Raise RefusedError if the name is taken."""
    with book.LOCK:
        links = book.load()
        if given["name"] in links:
            raise RefusedError(409, "that name is given")
        book.save(links | {given["name"]: given["address"]})
    return {"name": given["name"]}


def follow(given: Given) -> object:
    """Return the address to which a short name leads."""
    links = book.load()
    if given["name"] not in links:
        raise RefusedError(404, "no such link")
    return {"address": links[given["name"]]}


if __name__ == "__main__":
    book.save(book.load())
    serve({"GET /": front, "POST /links": add, "GET /follow": follow})
