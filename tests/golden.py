"""Compares an answer with the whole text that is kept of it; `REWRITE_GOLDEN=1 pytest` writes it anew."""

import os
from pathlib import Path

FOLDER = Path(__file__).parent / "show" / "golden"


def kept(name: str, text: str) -> str:
    """The text kept under `name`, which is to equal `text`."""
    path = FOLDER / name
    if os.environ.get("REWRITE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    return path.read_text(encoding="utf-8")
