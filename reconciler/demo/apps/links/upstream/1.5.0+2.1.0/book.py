"""The file of links: $DATA_DIR/links.json, format 2, in which a link has an address and a count of visits."""

import json
import os
import threading
from pathlib import Path

FORMAT = 2
FILE = Path(os.environ["DATA_DIR"], "links.json")
LOCK = threading.Lock()


def load() -> dict:
    """All links by their short name; an empty book where there is none. Format 1 held bare addresses."""
    if not FILE.exists():
        return {}
    book = json.loads(FILE.read_text(encoding="utf-8"))
    if book["format"] == 1:
        return {name: {"address": address, "visits": 0} for name, address in book["links"].items()}
    if book["format"] != FORMAT:
        raise SystemExit(f"links.json has format {book['format']}, this release knows {FORMAT}")
    return book["links"]


def save(links: dict) -> None:
    """Replace the file in one step, so that a crash leaves the old one."""
    written = FILE.with_suffix(".new")
    written.write_text(json.dumps({"format": FORMAT, "links": links}), encoding="utf-8")
    written.replace(FILE)
