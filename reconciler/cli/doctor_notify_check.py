"""Checks for `reconcile doctor` whether messages can be sent. It sends none."""

from reconciler.cli.doctor_inspection import Inspection
from reconciler.cli.notifications import notifiers_for
from reconciler.core import host_checks
from reconciler.core.host_checks import HostCheck
from reconciler.errors import CanonError, in_one_line
from state.notification_file import read_notifications


def check_notify(seen: Inspection) -> HostCheck:
    """Return the check of `[notify]`: whether each declared target can be reached, and how many messages wait.

    If messages were dropped, the check also names the message that was dropped last. Nothing is sent. Raise StateError
    if the record of messages cannot be read.
    """
    known = read_notifications(seen.state.notifications)
    found: dict[str, str] = {}
    failed: dict[str, str] = {}
    for name, notifier in notifiers_for(seen.fleet).items():
        try:
            found[name] = notifier.check()
        except (CanonError, OSError) as error:
            failed[name] = in_one_line(error)
    return host_checks.check_notify(found, failed, len(known.unsent), known.dropped)
