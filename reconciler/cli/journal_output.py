"""Sends the results of a run to systemd's journal, if this process runs under the journal."""

import os

from reconciler.core.outcome import Outcome
from reconciler.core.report import Report
from reconciler.host.journal_socket import runs_under_journal, send_entries
from reconciler.show.documents.journal_entries import outcome_entry, report_entries


def journal_outcome(outcome: Outcome) -> None:
    """Send the outcome of one recipe's step to the journal. Call this as soon as the step is done."""
    entry = outcome_entry(outcome)
    if entry is not None and runs_under_journal(os.environ):
        send_entries([entry])


def journal_report(report: Report) -> None:
    """Send to the journal whether the run was hollow, and how each recipe differs at its end."""
    if runs_under_journal(os.environ):
        send_entries(report_entries(report))
