"""Sends the results of a run to systemd's journal, if this process runs under the journal."""

import os

from reconciler.core.outcome import Outcome
from reconciler.core.report import Report
from reconciler.host.journal_socket import runs_under_journal, send_entries
from reconciler.show.documents.journal_entries import outcome_entry, report_entries


def journal_outcome(outcome: Outcome) -> None:
    """Send the outcome of a recipe's step to systemd's journal. Call this as soon as the step has ended.

    Send nothing if the step did nothing, or if this process does not run under the journal. Errors are ignored.
    """
    entry = outcome_entry(outcome)
    if entry is not None and runs_under_journal(os.environ):
        send_entries([entry])


def journal_report(report: Report) -> None:
    """Send to systemd's journal an entry for each difference that a recipe still has at the end of the run.

    If the run was hollow (nothing is enrolled, or counts do not add up), send one more entry. Do nothing if this
    process does not run under the journal. Errors are ignored.
    """
    if runs_under_journal(os.environ):
        send_entries(report_entries(report))
