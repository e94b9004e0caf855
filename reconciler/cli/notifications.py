"""Records which messages are due, and sends them. A failure to send is only a note in the report of the pass."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime

from attrs import evolve, field, frozen

from desired.model import Fleet
from reconciler.cli.command_context import CommandContext
from reconciler.cli.message_queue import MessageQueue
from reconciler.cli.message_record import MessageRecord, open_record
from reconciler.cli.read_last_pass import last_whole_pass
from reconciler.core.notifications import Seen, with_due_message
from reconciler.core.report import Report
from reconciler.core.report_problems import both, failed_pass, seen_in, seen_of_timer
from reconciler.core.way_problems import seen_of_ways
from reconciler.core.way_records import WAY_LINE
from reconciler.errors import InterruptedPassError, reason_of
from reconciler.ports.notifier import Notifier
from reconciler.show.text.pass_age import whole_pass_text
from reconciler.stages.loop import Pass
from state.registry.registry import SqliteRegistry

_AGAIN = "the next pass sends it again, or: reconcile notify"


@frozen
class Sent:
    """What came of sending messages.

    * `counts`: how many messages were sent, by target.
    * `failures`: why some messages of a target still wait, by target.
    * `remarks`: sentences on who did not get a message that others got, which messages were dropped, and why messages
      may come twice.
    * `signal`: the number of the signal that interrupted the sending; None if none did.
    """

    counts: Mapping[str, int] = field(factory=dict)
    failures: Mapping[str, str] = field(factory=dict)
    remarks: tuple[str, ...] = ()
    signal: int | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """Return a note for each target in `failures`, and then all `remarks`; () if there are neither."""
        waiting = (f"a message was not sent by {name}: {why}; {_AGAIN}" for name, why in self.failures.items())
        return (*waiting, *self.remarks)


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


def tell_pass(context: CommandContext, done: Pass) -> Pass:
    """Find which messages are due after the pass `done`, record them, and send them. Return `done` with notes added.

    The notes say which targets did not get their messages. The caller holds the pass lock.

    If a signal interrupted the pass, nothing is sent: the messages wait for the next pass. If a signal interrupts the
    sending, the returned pass has the number of this signal.
    """
    if not context.fleet.notify.targets:
        return done
    was_interrupted = done.signal is not None
    try:
        sent = tell(
            context,
            lambda told: seen_in(done.report, told, interrupted=was_interrupted),
            (timer_seen, lambda _: _ways_seen(context, done.report)),
            sends=not was_interrupted,
        )
    except Exception as failed:  # noqa: BLE001  a note reports it; no recipe depends on it
        sent = Sent(remarks=(f"no message was sent: {reason_of(failed)}",))
    report = evolve(done.report, notes=(*done.report.notes, *sent.notes))
    return evolve(done, report=report, signal=done.signal or sent.signal)


def tell_failed_pass(context: CommandContext, failed: Exception) -> None:
    """Record and send the message that a pass over the whole fleet ended with the error `failed`.

    If the pass was over some recipes only, record no such message, and send only messages that wait. If sending fails,
    raise nothing, but add a note to `failed`. The caller holds the pass lock.
    """
    if not context.fleet.notify.targets:
        return
    seen = failed_pass(reason_of(failed)) if {*context.names} == {*context.fleet.recipes} else Seen()
    try:
        for note in tell(context, lambda _: seen).notes:
            failed.add_note(note)
    except Exception as second:  # noqa: BLE001  the first error is the one to report
        failed.add_note(f"no message was sent: {reason_of(second)}")


def timer_seen(context: CommandContext) -> Seen:
    """Return what is seen of one problem: that the last pass over the whole fleet is too old.

    If the pass is too old, the returned value has this problem in `problems`. Otherwise it has the problem's
    subject in `over`, because the problem is over.
    """
    last = last_whole_pass(context)
    return seen_of_timer(last, whole_pass_text(last))


def _ways_seen(context: CommandContext, report: Report) -> Seen:
    """Return which ways of the report's canonicals may lose data, and which certainly do not, by the ledger."""
    return seen_of_ways(report.rows, context.fleet.recipes, SqliteRegistry(context.state.database).lines(kind=WAY_LINE))


def tell(
    context: CommandContext,
    seen_of: Callable[[Iterable[str]], Seen],
    looks: Sequence[Callable[[CommandContext], Seen]] = (timer_seen,),
    *,
    sends: bool = True,
) -> Sent:
    """Record the message that is due now, and send all messages that wait. Return what came of the sending.

    * `seen_of`: a function that gets the subjects of the problems that people were told of, and returns which problems
      there are now.
    * `looks`: functions that return more problems, which they find in the ledger.
    * `sends`: False to send nothing: the messages go on waiting.

    If the record of messages or the ledger cannot be read or written, what is known is sent all the same, and a remark
    says what failed.
    """
    record, notify, unread = open_record(context.state.notifications), context.fleet.notify, list[str]()
    seen = seen_of(record.known.problems)
    for look in looks:
        try:
            seen = both(seen, look(context))
        except Exception as failed:  # noqa: BLE001  other messages do not depend on it
            unread.append(f"messages may lack what the ledger has: {reason_of(failed)}")
    record.replace(with_due_message(record.known, seen, datetime.now(UTC), notify.remind, notify.targets))
    sent = send_waiting(context, record) if sends else Sent()
    return evolve(sent, remarks=(*sent.remarks, *record.notes, *dict.fromkeys(unread)))


def send_waiting(context: CommandContext, record: MessageRecord) -> Sent:
    """Send to each target the messages that it did not get yet, the oldest first. Return what came of the sending.

    `record` says which messages wait. Each message that was sent is noted in the record at once.
    """
    name = context.fleet.name
    queues = [MessageQueue(name, *each) for each in notifiers_for(context.fleet).items()]
    signal = None
    try:
        for queue in queues:
            queue.send(record)
    except InterruptedPassError as stop:
        signal = stop.signal_number
    return Sent(
        {queue.name: queue.count for queue in queues if queue.count},
        {queue.name: queue.failure for queue in queues if queue.failure},
        tuple(remark for queue in queues for remark in queue.remarks),
        signal,
    )
