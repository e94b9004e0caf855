"""The JSON document of `reconcile prove`."""

from collections.abc import Mapping

from reconciler.core.proof import Proof
from reconciler.show.documents.recorded_parts import Json
from reconciler.show.documents.report_document import FORMAT
from reconciler.show.text.proof import proof_line


def proof_document(proof: Proof) -> Json:
    """Return the JSON document of `reconcile prove`: whether a pass would do nothing, and what it would do if not."""
    return {
        "format": FORMAT,
        "command": "prove",
        "proved": proof.exit_code == 0,
        "plan": proof.digest,
        "enrolled": proof.recipes,
        "unsettled": _named(proof.unsettled),
        "unseen": _named(proof.unseen),
        "moved": list(proof.moved),
        "left": list(proof.left),
        "unknown": list(proof.unknown),
        "line": proof_line(proof),
        "errors": [],
        "exit_code": proof.exit_code,
    }


def _named(texts: Mapping[str, str]) -> list[Json]:
    return [{"recipe": name, "reason": text} for name, text in texts.items()]
