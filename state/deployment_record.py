"""Reads and writes deployment records. Each is a small file beside the slot of a kept deployment."""

from pathlib import Path

from state.codec import NotARecordError, dump, load
from state.folder.durable import file_errors, replace_file
from state.kept_deployment import DeploymentRecord
from state.records import Damaged
from state.state_errors import KeptError

# Keys are sorted when a record is written, so this one comes first.
_BEGINNING = b'{"generation":'


def read_deployment_record(path: Path) -> DeploymentRecord | Damaged | None:
    """Return the deployment record in the file `path`; None if there is no such file.

    Return Damaged if the file has no valid deployment record. Raise KeptError if the file cannot be read.
    """
    with file_errors(f"read {path}", KeptError):
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return None
    try:
        return load(content.decode("ascii"), DeploymentRecord)
    except (NotARecordError, UnicodeDecodeError):
        return Damaged(f"{path} is not what was written there")


def begins_as_deployment_record(path: Path) -> bool:
    """Return whether the file begins like a deployment record, or is empty. Return False if it cannot be read."""
    try:
        with path.open("rb") as file:
            start = file.read(len(_BEGINNING))
    except OSError:
        return False
    return start in {b"", _BEGINNING}


def write_deployment_record(path: Path, record: DeploymentRecord) -> None:
    """Write the record to the file `path`, in place of an earlier one. Raise KeptError if that fails.

    After a crash, the file has either the old or the new content.
    """
    with file_errors(f"write {path}", KeptError):
        replace_file(path, dump(record).encode("ascii"))
