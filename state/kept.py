"""What a canonical that is kept running was made of when it was raised: one small file beside its deployment."""

import json
from datetime import datetime
from pathlib import Path

from state.durable import file_errors, replace_file
from state.errors import KeptError
from state.model import Upkeep

_FILE = "as-raised.json"


def read_upkeep(folder: Path) -> Upkeep | None:
    """None where nothing was raised to its end. Raises KeptError for what cannot be read."""
    path = folder / _FILE
    with file_errors(f"read {path}", KeptError):
        try:
            text = path.read_text("utf-8")
        except FileNotFoundError:
            return None
    try:
        told = json.loads(text)
        return Upkeep(int(told["generation"]), dict(told["parts"]), datetime.fromisoformat(told["up_at"]))
    except (ValueError, KeyError, TypeError) as broken:
        raise KeptError(
            f"{path} is no account of what was raised: {broken!r}", "delete it; a pass raises anew"
        ) from None


def write_upkeep(folder: Path, upkeep: Upkeep) -> None:
    told = {"generation": upkeep.generation, "parts": dict(upkeep.parts), "up_at": upkeep.up_at.isoformat()}
    with file_errors(f"write {folder / _FILE}", KeptError):
        replace_file(folder / _FILE, json.dumps(told, indent=1, sort_keys=True).encode())
