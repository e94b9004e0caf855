"""What sends messages to people."""

from datetime import datetime
from typing import Protocol

from attrs import frozen


@frozen
class Letter:
    """A message as it is sent.

    * `id`: stays the same when the message is sent again.
    * `at`: when the message was made.
    * `subject`, `text`: for people.
    * `document`: the message as JSON, for programs.
    """

    id: str
    at: datetime
    subject: str
    text: str
    document: bytes


class Notifier(Protocol):
    """Sends messages to people in one way, such as mail."""

    def send(self, letter: Letter) -> None:
        """Send the letter. Raise InfrastructureError if the receiver did not accept it, or not in time.

        The text of the error has no secrets in it.
        """
        ...

    def check(self) -> str:
        """Connect as if to send a letter, but send none. Return what was found, such as "mail.example answers".

        Raise InfrastructureError if connecting fails.
        """
        ...
