"""Keeps the record of messages while they are sent, also if its file cannot be read or written."""

from pathlib import Path

from attrs import define

from reconciler.errors import in_one_line
from state.notification_file import keep_notifications, read_notifications
from state.notifications import Notifications
from state.state_errors import StateError


@define
class MessageRecord:
    """The record of messages, as it is kept while messages are sent.

    * `path`: the file of the record.
    * `known`: the content of the record. If the file could not be written, its content is older.
    * `unread`: why the file could not be read; "" if it was read. A file that could not be read is never written.
    * `unwritten`: why the file could not be written; "" if no write has failed.
    """

    path: Path
    known: Notifications
    unread: str = ""
    unwritten: str = ""

    def replace(self, known: Notifications) -> None:
        """Replace the content of the record by `known`. If the content changes, write it to the file.

        If writing fails, raise no error, but keep the reason in `unwritten`. A file that could not be read is never
        written.
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
