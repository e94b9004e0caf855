"""The file of links: $DATA_DIR/links.json, format 2, in which a link has an address and a count of visits."""

import json
import os
import threading
from pathlib import Path

FORMAT = 2
FILE = Path(os.environ["DATA_DIR"], "links.json")
LOCK = threading.Lock()


def load() -> dict:
    """Return all links by their short names; {} if there is no file yet. Format 1 had only addresses."""
    if not FILE.exists():
        return {}
    book = json.loads(FILE.read_text(encoding="utf-8"))
    if book["format"] == 1:
        return {name: {"address": address, "visits": 0} for name, address in book["links"].items()}
    if book["format"] != FORMAT:
        raise SystemExit(f"links.json has format {book['format']}, this release knows {FORMAT}")
    return book["links"]


def save(links: dict) -> None:
    """Replace the file in one step, so that after a crash it is the old or the new one."""
    written = FILE.with_suffix(".new")
    written.write_text(json.dumps({"format": FORMAT, "links": links}), encoding="utf-8")
    written.replace(FILE)
