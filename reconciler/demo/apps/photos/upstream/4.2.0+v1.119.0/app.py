"""Pictures, kept as the files they came as."""

import base64
import os
from pathlib import Path

from serving import Given, RefusedError, serve

ALBUM = Path(os.environ["DATA_DIR"], "album")
JPEG = b"\xff\xd8\xff"


def front(_: Given) -> object:
    """Return the version of the app, and the names of its pictures."""
    return {"version": os.environ["VERSION"], "pictures": sorted(file.name for file in ALBUM.iterdir())}


def add(given: Given) -> object:
    """Store a JPEG that is given in base64. Return its size in bytes."""
    picture = base64.b64decode(given["data"])
    if not given["name"].isalnum() or not picture.startswith(JPEG):
        raise RefusedError(422, "a picture is a JPEG with a name of letters and digits")
    (ALBUM / given["name"]).write_bytes(picture)
    return {"bytes": len(picture)}


def picture(given: Given) -> object:
    """Return a picture in base64. Raise RefusedError if there is none."""
    if not given["name"].isalnum() or not (ALBUM / given["name"]).exists():
        raise RefusedError(404, "no such picture")
    return {"data": base64.b64encode((ALBUM / given["name"]).read_bytes()).decode()}


if __name__ == "__main__":
    ALBUM.mkdir(exist_ok=True)
    serve({"GET /": front, "POST /pictures": add, "GET /picture": picture})
