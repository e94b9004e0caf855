"""Sends the messages that wait for one target. Drops those that the target does not take while it takes later ones."""

from collections.abc import Callable
from datetime import UTC, datetime
from time import monotonic

from attrs import define, field, frozen

from reconciler.cli.message_record import MessageRecord
from reconciler.core.notifications import (
    GIVEN_UP_AFTER,
    is_given_up,
    subjects_of,
    waiting_for,
    with_passed_over,
    with_sent,
)
from reconciler.errors import InterruptedPassError, reason_of
from reconciler.ports.notifier import Letter, Notifier, RefusedMessageError
from reconciler.show.documents.message_document import message_document_of
from reconciler.show.documents.report_document import json_text
from reconciler.show.text.messages import message_subject, message_text
from state.notifications import DroppedMessage, Message, UnsentMessage

LONGEST_FAILING = 60.0
"""How many seconds tries that fail may take at one target, before its other messages wait for the next pass."""


HELD_BACK = "an earlier message on the same problem was only now dropped"
"""Why a message still waits although no message that was tried does."""


def letter_of(fleet: str, message: Message) -> Letter:
    """Return a message of the fleet named `fleet` with its subject, text and JSON, ready to be sent."""
    document = json_text(message_document_of(fleet, message)).encode()
    return Letter(message.id, message.at, message_subject(fleet, message), message_text(message), document)


def missed_remarks(target: str, missed: str) -> list[str]:
    """Return a list with one remark if a sent message did not reach everybody; [] if everybody got it.

    * `target`: the name of the target by which the message was sent, such as "mail".
    * `missed`: who did not get the message, and why; "" if everybody got it.
    """
    return [f"a message was sent by {target}, but {missed}"] if missed else []


@frozen
class _Untaken:
    """A message that the target did not take.

    * `unsent`: the message.
    * `why`: the reason.
    * `is_refused`: True if the target refused the message for good.
    """

    unsent: UnsentMessage
    why: str
    is_refused: bool


@define
class MessageQueue:
    """The messages of the fleet `fleet` that wait for the target `name`, and what came of sending them.

    * `notifier`: sends a message to the target.
    * `clock`: a monotonic clock: a function that returns seconds. With it, failing tries are timed.
    * `count`: how many messages were sent.
    * `failure`: why some messages still wait; "" if none does.
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
    # The subjects of messages that wait for the next pass. Later messages on them wait too: people would believe a
    # problem that arrives after its recovery.
    _held: set[str] = field(factory=set, init=False)

    def send(self, record: MessageRecord) -> None:
        """Send the messages that wait in `record`, the oldest first, and note in `record` which were sent.

        A message that fails keeps back only later messages on the same subjects. Once the failed tries have taken
        LONGEST_FAILING seconds together, only one more message is tried: the newest that is not kept back. So a target
        that does not answer cannot hold up the pass. If the target takes this newest message, the messages before it
        are at fault, and not the target.

        Raise InterruptedPassError if a signal interrupts the sending.
        """
        newest: UnsentMessage | None = None
        try:
            for unsent in waiting_for(record.known, self.name):
                if subjects_of(unsent.message) & self._held:
                    self._hold(unsent)
                elif self._failing < LONGEST_FAILING:
                    self._send(unsent, record)
                else:
                    self._hold(unsent)
                    newest = unsent
            if newest is not None:
                self._send(newest, record)
        except InterruptedPassError:
            self.failure = "interrupted"
            raise
        held = HELD_BACK if waiting_for(record.known, self.name) else ""
        self.failure = next((each.why for each in self._untaken), held)

    def _hold(self, unsent: UnsentMessage) -> None:
        self._held |= subjects_of(unsent.message)

    def _send(self, unsent: UnsentMessage, record: MessageRecord) -> None:
        """Send one message. If the target takes it, note this in `record`, and drop earlier messages that are given up.

        If the target does not take the message, raise no error: the message goes on waiting.
        """
        began = self.clock()
        try:
            missed = self.notifier.send(letter_of(self.fleet, unsent.message))
        except InterruptedPassError:
            raise
        except Exception as failed:  # noqa: BLE001  whatever a library raises, the others get theirs
            self._failing += self.clock() - began
            self._not_taken(_Untaken(unsent, reason_of(failed), isinstance(failed, RefusedMessageError)))
            return
        self._taken(unsent, record)
        self.remarks += missed_remarks(self.name, missed)

    def _not_taken(self, untaken: _Untaken) -> None:
        self._untaken.append(untaken)
        if not untaken.is_refused:
            self._hold(untaken.unsent)

    def _taken(self, unsent: UnsentMessage, record: MessageRecord) -> None:
        """Note in `record` that the target took the message `unsent`, and did not take the messages in `_untaken`.

        From `_untaken`, drop the messages that are given up, and add a remark for each of them.
        """
        now = datetime.now(UTC)
        lost = [one for one in self._untaken if is_given_up(one.unsent, self.name, now, is_refused=one.is_refused)]
        self._untaken = [one for one in self._untaken if one not in lost]
        sent = with_sent(record.known, unsent.message.id, self.name, [self._dropped(one, now) for one in lost])
        record.replace(with_passed_over(sent, {one.unsent.message.id for one in self._untaken}, self.name, now))
        self.count += 1
        self.remarks += map(self._dropped_remark, lost)

    def _dropped(self, lost: _Untaken, now: datetime) -> DroppedMessage:
        message = lost.unsent.message
        return DroppedMessage(message.id, self.name, now, message_subject(self.fleet, message), lost.why)

    def _dropped_remark(self, lost: _Untaken) -> str:
        did = "refused it" if lost.is_refused else f"did not take it for {GIVEN_UP_AFTER.days} days"
        subject = message_subject(self.fleet, lost.unsent.message)
        return f"a message was dropped, because {self.name} {did} and took a later one: {lost.why}; it was: {subject}"
