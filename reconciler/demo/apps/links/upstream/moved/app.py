"""Short names for long addresses."""

import os

import book
from serving import Given, RefusedError, serve


def front(_: Given) -> object:
    """Return the version of the app, and how many links it has."""
    return {"version": os.environ["VERSION"], "links": len(book.load())}


def add(given: Given) -> object:
    """Give a web address a short name. Raise RefusedError for another address, or if the name is taken."""
    if not given["address"].startswith(("https://", "http://")):
        raise RefusedError(422, "not an address")
    with book.LOCK:
        links = book.load()
        if given["name"] in links:
            raise RefusedError(409, "that name is given")
        book.save(links | {given["name"]: {"address": given["address"], "visits": 0}})
    return {"name": given["name"]}


def follow(given: Given) -> object:
    """Return the address to which a short name leads, and count the visit."""
    with book.LOCK:
        links = book.load()
        if given["name"] not in links:
            raise RefusedError(404, "no such link")
        links[given["name"]]["visits"] += 1
        book.save(links)
    return links[given["name"]]


if __name__ == "__main__":
    book.save(book.load())
    serve({"GET /": front, "POST /links": add, "GET /follow": follow})
