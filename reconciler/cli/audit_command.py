"""`reconcile audit`: checks every claim of the records, and changes nothing."""

import os
import re

from reconciler.audit.audit import AuditRequest, audit
from reconciler.audit.claims import Audit
from reconciler.cli.command_context import load_context
from reconciler.cli.composition import interruptible
from reconciler.cli.missing_state import missing_state_notes
from reconciler.cli.options import Options, stdout_screen
from reconciler.cli.standard_streams import print_answer
from reconciler.errors import UsageError
from reconciler.host.audit_programs import AuditPrograms
from reconciler.host.environment import child_environment
from reconciler.show.documents.audit_document import audit_document
from reconciler.show.documents.report_document import json_text
from reconciler.show.text.audit import render_audit
from state.folder.folder import StateFolder
from state.folder.identity import read_identity
from state.registry.database import STEPS
from state.state_errors import NoRecordsError

_HASH = re.compile(r"[0-9a-f]{8,64}")


def audit_records(options: Options, head: str | None) -> int:
    """Print the verdict on every claim of the records. Return the exit code: 3 if a claim disagrees, else 0.

    Raise NoRecordsError if there is no record, no snapshot and no mirror of any recipe: no claim was checked then.

    `head` is the hash of a ledger line, or at least its first 8 digits, that a person has noted elsewhere; None if no
    hash is given. Raise UsageError if `head` does not look like a hash.
    """
    if head is not None and not _HASH.fullmatch(head):
        raise UsageError(
            f"--head {head} is no hash of a ledger's line", "reconcile audit prints one: 8 to 64 hex digits"
        )
    context = load_context(options)
    fleet, state = context.fleet, context.state
    upstreams = {name: recipe.upstream for name, recipe in fleet.recipes.items()}
    state_id = read_identity(state.identity) or ""
    request = AuditRequest(state.root, state_id, upstreams, STEPS, frozenset(options.recipes), head or "")
    with interruptible():
        done = audit(request, AuditPrograms(child_environment(fleet.passes, os.environ, state.root), fleet.protocols))
    _require_records(context.state, done)
    if options.json:
        return print_answer(json_text(audit_document(done)), done.exit_code)
    screen = stdout_screen(options)
    return print_answer(render_audit(done, screen, wide=options.output == "wide"), done.exit_code)


def _require_records(state: StateFolder, done: Audit) -> None:
    """Raise NoRecordsError if the state folder has no registry, and the audit found nothing else to check."""
    missing = missing_state_notes(state)
    if missing and done.exit_code == 0 and not any(claim.recipe for claim in done.claims):
        raise NoRecordsError(f"{missing[0]}; there is nothing to audit", "name the state folder with --state")
