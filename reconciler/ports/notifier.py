"""What sends messages to people."""

from datetime import datetime
from typing import Protocol

from attrs import frozen

from reconciler.errors import InfrastructureError


class RefusedMessageError(InfrastructureError):
    """The target refused this message for good. The target may still accept another message."""


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
    """Sends messages to people by one means, such as mail."""

    def send(self, letter: Letter) -> str:
        """Send the letter. Return who did not get it although others did, and why, as one text; "" if all got it.

        Raise RefusedMessageError if the target refuses this letter for good, because of its content. Raise
        InfrastructureError if nobody got it for any other reason, such as a time limit. Neither the text nor an error
        has a secret in it.
        """
        ...

    def check(self) -> str:
        """Connect as if to send a letter, but send none. Return what was found, such as "mail.example answers".

        Raise InfrastructureError if connecting fails.
        """
        ...
