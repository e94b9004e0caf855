"""Records which messages are due, and sends them. A failure to send is only a note in the report of the pass."""

from collections.abc import Mapping
from datetime import UTC, datetime

from attrs import evolve, frozen

from desired.model import Fleet
from reconciler.cli.command_context import CommandContext
from reconciler.cli.read_last_pass import last_whole_pass
from reconciler.core.notifications import Seen, first_unsent, with_due_message, with_sent
from reconciler.core.report_problems import both, failed_pass, seen_in, seen_of_timer
from reconciler.errors import InterruptedPassError, reason_of
from reconciler.ports.notifier import Letter, Notifier
from reconciler.show.documents.message_document import message_document_of
from reconciler.show.documents.report_document import json_text
from reconciler.show.text.messages import message_subject, message_text
from reconciler.show.text.pass_age import whole_pass_text
from reconciler.stages.loop import Pass
from state.notification_file import keep_notifications, read_notifications
from state.notifications import Message, Notifications
from state.state_errors import StateError

_AGAIN = "the next pass sends it again, or: reconcile notify"


@frozen
class Sent:
    """What came of sending messages.

    * `counts`: how many messages were sent, by target.
    * `failures`: the targets to which sending failed, each with the reason.
    * `signal`: the number of the signal that interrupted the sending; None if none did.
    """

    counts: Mapping[str, int]
    failures: Mapping[str, str]
    signal: int | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """Return a note for each target that did not get its messages."""
        return tuple(f"a message was not sent by {name}: {why}; {_AGAIN}" for name, why in self.failures.items())


def notifiers_for(fleet: Fleet) -> dict[str, Notifier]:
    """Return a notifier for each target of messages that the fleet declares, by the name of the target, such as "mail".

    Only the libraries of declared targets are loaded.
    """
    notify, made = fleet.notify, dict[str, Notifier]()
    if notify.mail is not None:
        from reconciler.host.notify.smtp import MailNotifier

        made["mail"] = MailNotifier(notify.mail)
    if notify.webhook is not None:
        from reconciler.host.notify.webhook import WebhookNotifier

        made["webhook"] = WebhookNotifier(notify.webhook)
    if notify.apprise is not None:
        from reconciler.host.notify.apprise_urls import AppriseNotifier

        made["apprise"] = AppriseNotifier(notify.apprise)
    return made


def letter_of(fleet: str, message: Message) -> Letter:
    """Return a message of the fleet named `fleet` with its subject, text and JSON, ready to be sent."""
    document = json_text(message_document_of(fleet, message)).encode()
    return Letter(message.id, message.at, message_subject(fleet, message), message_text(message), document)


def tell_pass(context: CommandContext, done: Pass) -> Pass:
    """Find which messages are due after the pass `done`, record them, and send them. Return `done` with notes added.

    There is one note for each target that did not get its messages. The caller holds the pass lock.

    If a signal interrupted the pass, nothing is sent: the messages wait for the next pass. If a signal interrupts the
    sending, the returned pass has that signal.
    """
    if not context.fleet.notify.targets:
        return done
    try:
        known = read_notifications(context.state.notifications)
        seen = seen_in(done.report, known.problems, interrupted=done.signal is not None)
        due = record_due(context, known, both(seen, timer_seen(context)))
        sent = send_waiting(context, due) if done.signal is None else Sent({}, {})
    except Exception as failed:  # noqa: BLE001  a note reports it; no recipe depends on it
        note = f"messages could not be recorded: {reason_of(failed)}"
        return evolve(done, report=evolve(done.report, notes=(*done.report.notes, note)))
    report = evolve(done.report, notes=(*done.report.notes, *sent.notes))
    return evolve(done, report=report, signal=done.signal or sent.signal)


def tell_failed_pass(context: CommandContext, failed: Exception) -> None:
    """Record and send a message which says that a pass ended with the error `failed`. The caller holds the pass lock.

    If this fails too, raise nothing, but add a note about it to `failed`.
    """
    if not context.fleet.notify.targets:
        return
    try:
        known = read_notifications(context.state.notifications)
        send_waiting(context, record_due(context, known, failed_pass(reason_of(failed))))
    except Exception as second:  # noqa: BLE001  the first error is the one to report
        failed.add_note(f"no message was sent: {reason_of(second)}")


def timer_seen(context: CommandContext) -> Seen:
    """Return a problem that says that the last pass over the whole fleet is too old.

    If that pass is not too old, return instead that this problem is over.
    """
    last = last_whole_pass(context)
    return seen_of_timer(last, whole_pass_text(last))


def record_due(context: CommandContext, known: Notifications, seen: Seen) -> Notifications:
    """Return the record `known`, updated by what was `seen` of problems, and with the message that is now due, if any.

    If the record has changed, it is written to its file. Raise StateError if that fails.
    """
    notify = context.fleet.notify
    due = with_due_message(known, seen, datetime.now(UTC), notify.remind, notify.targets)
    if due != known:
        keep_notifications(context.state.notifications, due)
    return due


def send_waiting(context: CommandContext, waiting: Notifications) -> Sent:
    """Send to each target the messages that it did not get yet, the oldest first. Return what came of that.

    Each message is recorded as sent at once. If sending to a target fails, its later messages wait, so that their order
    stays. Raise StateError if the record cannot be written.
    """
    counts, failures = dict[str, int](), dict[str, str]()
    for name, notifier in notifiers_for(context.fleet).items():
        try:
            while (message := first_unsent(waiting, name)) is not None:
                notifier.send(letter_of(context.fleet.name, message))
                waiting = with_sent(waiting, message.id, name)
                keep_notifications(context.state.notifications, waiting)
                counts[name] = counts.get(name, 0) + 1
        except InterruptedPassError as stop:
            return Sent(counts, {**failures, name: "interrupted"}, stop.signal_number)
        except StateError:
            raise
        except Exception as failed:  # noqa: BLE001  whatever a library raises, the other targets get theirs
            failures[name] = reason_of(failed)
    return Sent(counts, failures)
