"""Reads and writes the file of problems that were told and messages that wait. So a killed pass loses none of them."""

from pathlib import Path

from state.codec import NotARecordError, dump, load
from state.folder.durable import file_errors, replace_file
from state.notifications import Notifications
from state.state_errors import StateError


def read_notifications(path: Path) -> Notifications:
    """Return the record in the file `path`; empty Notifications if there is no file.

    Raise StateError if the file cannot be read, or if this program did not write it.
    """
    if not path.exists():
        return Notifications()
    try:
        with file_errors(f"read {path.name}", StateError):
            return load(path.read_text("ascii"), Notifications)
    except (NotARecordError, UnicodeDecodeError) as invalid:
        message = f"{path.name} is not as Canon wrote it"
        raise StateError(message, f"move it away; what lasts is then told again: {path}") from invalid


def keep_notifications(path: Path, notifications: Notifications) -> None:
    """Replace the file `path` by one with `notifications`, and flush it to the disk. Raise StateError if that fails."""
    with file_errors(f"write {path.name}", StateError):
        replace_file(path, dump(notifications).encode("ascii"))
