"""Texts to pass on, one file each."""

import hashlib
import os
from pathlib import Path

from serving import Given, RefusedError, serve

PASTES = Path(os.environ["DATA_DIR"], "pastes")


def front(_: Given) -> object:
    """Return the version of the app, and how many texts it has."""
    return {"version": os.environ["VERSION"], "pastes": len(list(PASTES.iterdir()))}


def add(given: Given) -> object:
    """Store a text under its hash. Return the hash."""
    text = given["text"].encode()
    name = hashlib.sha256(text).hexdigest()
    (PASTES / name).write_bytes(text)
    return {"name": name}


def read(given: Given) -> object:
    """Return the text with the given hash. Raise RefusedError if there is none."""
    name = given["name"]
    if not name.isalnum() or not (PASTES / name).exists():
        raise RefusedError(404, "no such paste")
    return {"text": (PASTES / name).read_bytes().decode()}


if __name__ == "__main__":
    PASTES.mkdir(exist_ok=True)
    serve({"GET /": front, "POST /pastes": add, "GET /paste": read})
