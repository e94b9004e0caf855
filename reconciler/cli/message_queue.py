"""Sends the messages that wait for one target, and drops those that only the target's refusal or failure keeps back."""

from collections.abc import Callable
from datetime import UTC, datetime
from time import monotonic

from attrs import define, field, frozen

from reconciler.cli.message_record import MessageRecord
from reconciler.core.notifications import GIVEN_UP_AFTER, is_given_up, waiting_for, with_sent
from reconciler.errors import InterruptedPassError, reason_of
from reconciler.ports.notifier import Letter, Notifier, RefusedMessageError
from reconciler.show.documents.message_document import message_document_of
from reconciler.show.documents.report_document import json_text
from reconciler.show.text.messages import message_subject, message_text
from state.notifications import DroppedMessage, Message

LONGEST_FAILING = 60.0
"""How many seconds tries that fail may take at one target, before its other messages wait for the next pass."""


def letter_of(fleet: str, message: Message) -> Letter:
    """Return a message of the fleet named `fleet` with its subject, text and JSON, ready to be sent."""
    document = json_text(message_document_of(fleet, message)).encode()
    return Letter(message.id, message.at, message_subject(fleet, message), message_text(message), document)


def missed_remarks(target: str, missed: str) -> list[str]:
    """Return a remark on who did not get a message that `target` sent; [] if `missed`, the names and why, is ""."""
    return [f"a message was sent by {target}, but {missed}"] if missed else []


@frozen
class _Untaken:
    """A message that the target did not take, and why. `is_refused`: it was refused for good."""

    message: Message
    why: str
    is_refused: bool


@define
class MessageQueue:
    """The messages of a fleet that wait for the target `name`, and what came of sending them.

    * `clock`: returns a time in seconds, by which the tries that fail are measured.
    * `count`: how many messages were sent.
    * `failure`: why some still wait; "" if none does.
    * `remarks`: who did not get a message that others got, and which messages were dropped.
    """

    fleet: str
    name: str
    notifier: Notifier
    clock: Callable[[], float] = monotonic
    count: int = 0
    failure: str = ""
    remarks: list[str] = field(factory=list)
    _failing: float = field(default=0.0, init=False)
    _untaken: list[_Untaken] = field(factory=list, init=False)

    def send(self, record: MessageRecord) -> None:
        """Send the messages in `record` that wait for this target, the oldest first. Update `record` after each.

        After a message that cannot be sent, go on with the next, until failed tries have taken a minute
        (LONGEST_FAILING): a target that does not answer would delay the pass. Raise InterruptedPassError if a signal
        interrupts the sending.
        """
        try:
            for message in waiting_for(record.known, self.name):
                if self._failing < LONGEST_FAILING:
                    self._send(message, record)
        except InterruptedPassError:
            self.failure = "interrupted"
            raise
        self.failure = next((each.why for each in self._untaken), "")

    def _send(self, message: Message, record: MessageRecord) -> None:
        """Send one message, and update `record`. If it cannot be sent, keep it and the reason in `_untaken`.

        Once a message was sent, drop those of `_untaken` that the target refused for good, or that are too old: since
        the target works, they themselves are at fault.
        """
        began = self.clock()
        try:
            missed = self.notifier.send(letter_of(self.fleet, message))
        except InterruptedPassError:
            raise
        except Exception as failed:  # noqa: BLE001  whatever a library raises, the others get theirs
            self._failing += self.clock() - began
            self._untaken.append(_Untaken(message, reason_of(failed), isinstance(failed, RefusedMessageError)))
            return
        now = datetime.now(UTC)
        lost = [each for each in self._untaken if is_given_up(each.message, now, is_refused=each.is_refused)]
        dropped = [self._dropped(each, now) for each in lost]
        record.replace(with_sent(record.known, message.id, self.name, dropped))
        self.count += 1
        self.remarks += map(self._dropped_remark, lost)
        self.remarks += missed_remarks(self.name, missed)
        self._untaken = [each for each in self._untaken if each not in lost]

    def _dropped(self, lost: _Untaken, now: datetime) -> DroppedMessage:
        return DroppedMessage(lost.message.id, self.name, now, message_subject(self.fleet, lost.message), lost.why)

    def _dropped_remark(self, lost: _Untaken) -> str:
        did = "refused it" if lost.is_refused else f"did not take it for {GIVEN_UP_AFTER.days} days"
        subject = message_subject(self.fleet, lost.message)
        return f"a message was dropped, because {self.name} {did} and took a later one: {lost.why}; it was: {subject}"
