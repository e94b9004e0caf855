"""Texts to pass on, one file each."""

import hashlib
import os
from pathlib import Path

from serving import Given, RefusedError, serve

PASTES = Path(os.environ["DATA_DIR"], "pastes")


def front(_: Given) -> object:
    """What this is, and how many pastes it holds."""
    return {"version": os.environ["VERSION"], "pastes": len(list(PASTES.iterdir()))}


def add(given: Given) -> object:
    """Keep a text under its hash, with its lines tidied."""
    text = tidy(given["text"]).encode()
    name = hashlib.sha256(given["text"].encode()).hexdigest()
    (PASTES / name).write_bytes(text)
    return {"name": name}


def tidy(text: str) -> str:
    """Without blanks around the lines."""
    return "\n".join(line.strip() for line in text.splitlines())


def read(given: Given) -> object:
    """The text with this hash."""
    name = given["name"]
    if not name.isalnum() or not (PASTES / name).exists():
        raise RefusedError(404, "no such paste")
    return {"text": (PASTES / name).read_bytes().decode()}


if __name__ == "__main__":
    PASTES.mkdir(exist_ok=True)
    serve({"GET /": front, "POST /pastes": add, "GET /paste": read})
