"""What sends messages to people."""

from datetime import datetime
from typing import Protocol

from attrs import frozen


@frozen
class Letter:
    """A message as it is sent: `subject` and `text` for people, `document` as JSON for programs.

    `id` is the same when the message is sent again. `at` is when it was made.
    """

    id: str
    at: datetime
    subject: str
    text: str
    document: bytes


class Notifier(Protocol):
    """One way to send messages."""

    def send(self, letter: Letter) -> None:
        """Send the letter. Raise InfrastructureError if it was not accepted, or not in time.

        The message of the error holds no secrets.
        """
        ...

    def check(self) -> str:
        """Connect as for a letter, and send none. Return what was found, in a few words.

        Raise InfrastructureError if that fails.
        """
        ...
