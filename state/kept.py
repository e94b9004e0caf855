"""The account of a canonical that is kept running: one small file beside its deployment."""

from pathlib import Path

from state.codec import NotARecordError, dump, load
from state.durable import file_errors, replace_file
from state.errors import KeptError
from state.model import Damaged, Upkeep


def read_upkeep(path: Path) -> Upkeep | Damaged | None:
    """None where there is no account. Raises KeptError where it cannot be looked at."""
    with file_errors(f"read {path}", KeptError):
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return None
    try:
        return load(content.decode("ascii"), Upkeep)
    except (NotARecordError, UnicodeDecodeError):
        return Damaged(f"{path} is not what was written there")


def write_upkeep(path: Path, upkeep: Upkeep) -> None:
    with file_errors(f"write {path}", KeptError):
        replace_file(path, dump(upkeep).encode("ascii"))
