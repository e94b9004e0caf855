"""Keeps the record of messages while they are sent, also if its file cannot be read or written."""

from pathlib import Path

from attrs import define

from reconciler.errors import in_one_line
from state.notification_file import keep_notifications, read_notifications
from state.notifications import Notifications
from state.state_errors import StateError


@define
class MessageRecord:
    """The record of messages.

    * `path`: its file.
    * `known`: what the record has now.
    * `unread`: why the file could not be read; "" if it could. A file that could not be read is never written.
    * `unwritten`: why the file could not be written; "" if it could. The file may then be older than `known`.
    """

    path: Path
    known: Notifications
    unread: str = ""
    unwritten: str = ""

    def replace(self, known: Notifications) -> None:
        """Let the record be `known` from now on, and write it to its file if it changed.

        If writing fails, raise no error: `unwritten` is then the reason. A file that could not be read is not written.
        """
        if known == self.known:
            return
        self.known = known
        if self.unread:
            return
        try:
            keep_notifications(self.path, known)
        except (StateError, OSError) as failed:
            self.unwritten = in_one_line(failed)

    @property
    def notes(self) -> tuple[str, ...]:
        """Return a note if the file could not be read, or not be written; else ()."""
        why = self.unread or self.unwritten
        return (f"messages may come twice: {why}",) if why else ()


def open_record(path: Path) -> MessageRecord:
    """Return the record in the file `path`. The record is empty if there is no file, or if the file cannot be read."""
    try:
        return MessageRecord(path, read_notifications(path))
    except (StateError, OSError) as failed:
        return MessageRecord(path, Notifications(), unread=in_one_line(failed))
