"""`reconcile notify`: send the messages that are due or wait, or a test message."""

from datetime import UTC, datetime

from reconciler.cli.command_context import CommandContext, load_context, pass_lock
from reconciler.cli.composition import interruptible, private_files
from reconciler.cli.message_queue import letter_of, missed_remarks
from reconciler.cli.notifications import Sent, notifiers_for, tell
from reconciler.cli.options import Options, print_line
from reconciler.core.notifications import EventWord, Seen, make_message
from reconciler.errors import InterruptedPassError, UsageError, reason_of
from reconciler.show.quantities import count_of
from state.notifications import FleetProblem, Item

_TEST = FleetProblem("fleet:test", "test", "", "nothing is wrong: somebody ran reconcile notify --test")


def notify(options: Options, *, test: bool) -> int:
    """Send the messages that are due, or with `test` a test message to each target. Return the exit code.

    * 0: every message was sent to everybody, or there was none to send.
    * 1: somebody did not get a message, or the record of messages or the ledger could not be read or written.

    Three kinds of messages are due: reminders of problems that last for long, a message that the last pass over the
    whole fleet is too old, and messages that could not be sent before. Recipes are not looked at anew.

    Raise UsageError if the fleet declares no target. Without `test`, raise LockHeldError if a pass runs: the pass sends
    the messages itself.
    """
    context = load_context(options)
    if not context.fleet.notify.targets:
        raise UsageError(
            "the fleet declares nobody to notify", "declare [notify.mail] or [notify.webhook] in fleet.toml"
        )
    with interruptible(), private_files():
        sent = _send_test(context) if test else _send_due(context)
    if sent.signal is not None:
        raise InterruptedPassError(sent.signal)
    return print_line(options, "notify", _line(sent), int(bool(sent.failures or sent.remarks)))


def _send_due(context: CommandContext) -> Sent:
    with pass_lock(context, "notify"):
        return tell(context, lambda _: Seen())


def _send_test(context: CommandContext) -> Sent:
    """Send a test message to each target, and record nothing. Return what came of that."""
    now = datetime.now(UTC)
    letter = letter_of(context.fleet.name, make_message([Item(EventWord.TEST, _TEST, now)], now))
    counts, failures, remarks = dict[str, int](), dict[str, str](), list[str]()
    for name, notifier in notifiers_for(context.fleet).items():
        try:
            missed = notifier.send(letter)
            counts[name] = 1
            remarks += missed_remarks(name, missed)
        except Exception as failed:  # noqa: BLE001  the line reports it, and the other targets get theirs
            failures[name] = reason_of(failed)
    return Sent(counts, failures, tuple(remarks))


def _line(sent: Sent) -> str:
    parts = [f"{count_of(count, 'message')} sent by {name}" for name, count in sent.counts.items()]
    parts += [f"not sent by {name}: {why}" for name, why in sent.failures.items()]
    return "; ".join((*parts, *sent.remarks)) or "nothing to send"
