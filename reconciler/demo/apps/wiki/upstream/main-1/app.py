"""Pages that anyone may change, one file each."""

import os
from pathlib import Path

from serving import Given, RefusedError, serve

PAGES = Path(os.environ["DATA_DIR"], "pages")


def page(given: Given) -> Path:
    """Return the file of a page. Raise RefusedError if its name is not only letters and digits."""
    if not given["page"].isalnum():
        raise RefusedError(422, "a page's name is letters and digits")
    return PAGES / given["page"]


def front(_: Given) -> object:
    """Return the version of the app, and the names of its pages."""
    return {"version": os.environ["VERSION"], "pages": sorted(file.name for file in PAGES.iterdir())}


def write(given: Given) -> object:
    """Replace the text of a page. Return its name."""
    page(given).write_text(given["text"], encoding="utf-8")
    return {"page": given["page"]}


def read(given: Given) -> object:
    """Return the text of a page. Raise RefusedError if there is none."""
    if not page(given).exists():
        raise RefusedError(404, "nobody has written that page")
    return {"text": page(given).read_text(encoding="utf-8")}


if __name__ == "__main__":
    PAGES.mkdir(exist_ok=True)
    serve({"GET /": front, "POST /pages": write, "GET /page": read})
