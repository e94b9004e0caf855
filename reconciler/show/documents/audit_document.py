"""The JSON document of `reconcile audit`."""

from reconciler.audit.claims import Audit, Claim, ClaimVerdict
from reconciler.show.documents.recorded_parts import Json
from reconciler.show.documents.report_document import FORMAT
from reconciler.show.text.audit import audit_line


def audit_document(audit: Audit) -> Json:
    """Return the JSON document of `reconcile audit`, with an entry for every claim, also for those that agree."""
    head = {"seq": audit.head.seq, "hash": audit.head.hash} if audit.head is not None else None
    return {
        "format": FORMAT,
        "command": "audit",
        "claims": [_claim(claim) for claim in audit.claims],
        "head": head,
        "summary": {
            **{verdict.value.replace("-", "_"): audit.count(verdict) for verdict in ClaimVerdict},
            "line": audit_line(audit),
        },
        "errors": [],
        "exit_code": audit.exit_code,
    }


def _claim(claim: Claim) -> Json:
    """Return the JSON entry of one claim. Its key "recipe" is null if the claim is about the whole state folder."""
    facts = {"claim": claim.about, "verdict": claim.verdict, "reason": claim.reason}
    return {"recipe": claim.recipe or None, **facts}
