"""Keep in a file which problems were told, and which messages wait, so that a pass that was killed loses none."""

from pathlib import Path

from state.codec import NotARecordError, dump, load
from state.folder.durable import file_errors, replace_file
from state.notifications import Notifications
from state.state_errors import StateError


def read_notifications(path: Path) -> Notifications:
    """Return what the file `path` holds; empty Notifications if it is missing.

    Raise StateError if the file cannot be read, or is not one that this program wrote.
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
    """Write `notifications` to the file `path`, flushed to the disk, in place of what it had.

    Raise StateError if that fails.
    """
    with file_errors(f"write {path.name}", StateError):
        replace_file(path, dump(notifications).encode("ascii"))
