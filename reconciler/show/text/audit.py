"""The text of `reconcile audit`."""

from collections.abc import Iterable, Sequence
from typing import Final

from reconciler.audit.claims import Audit, Claim, ClaimVerdict
from reconciler.show.quantities import count_of
from reconciler.show.text.screen import NOTHING, Cell, Screen, Style, align, paint

_STYLES: Final = {ClaimVerdict.AGREE: Style.GOOD, ClaimVerdict.DISAGREE: Style.BAD, ClaimVerdict.NOT_ASKED: Style.WARN}
_HEADER: Final = ("RECIPE", "VERDICT", "CLAIM", "WHY")


def render_audit(audit: Audit, screen: Screen, *, wide: bool = False) -> str:
    """Return the text of `reconcile audit`: a table of claims, the hash of the ledger's last line, and a summary line.

    A claim is one statement of the records, which the audit compares with what it finds. The table has a line for each
    claim that was not found to agree. For each recipe, one more line has the number of the claims that agree. If
    `wide`, every claim has a line of its own.
    """
    rows = [_cells(claim) for claim in audit.claims] if wide else list(_short_rows(audit.claims))
    lines = align(_HEADER, rows, screen)
    if audit.head is not None:
        head = f"line {audit.head.seq} of the ledger has the hash {audit.head.hash}"
        lines += ["", f"{head}; keep it elsewhere, for audit --head"]
    return "\n".join([*lines, "", paint(audit_line(audit), Style.STRONG, screen)]) + "\n"


def audit_line(audit: Audit) -> str:
    """Return the summary line of an audit, such as "12 claims: 10 agree, 1 disagree, 1 not asked"."""
    agree, disagree, not_asked = (audit.count(verdict) for verdict in ClaimVerdict)
    claims = count_of(len(audit.claims), "claim")
    return f"{claims}: {agree} agree, {disagree} disagree, {not_asked} not asked"


def _short_rows(claims: Sequence[Claim]) -> Iterable[Sequence[Cell]]:
    """Yield the rows of the short table of claims.

    For each recipe, the first row has the number of its claims that agree. Each other claim has a row of its own.
    """
    for recipe in dict.fromkeys(claim.recipe for claim in claims):
        own = [claim for claim in claims if claim.recipe == recipe]
        agreeing = sum(claim.verdict is ClaimVerdict.AGREE for claim in own)
        if agreeing:
            yield _cells(Claim(recipe, count_of(agreeing, "claim"), ClaimVerdict.AGREE))
        yield from (_cells(claim) for claim in own if claim.verdict is not ClaimVerdict.AGREE)


def _cells(claim: Claim) -> list[Cell]:
    return [
        Cell(claim.recipe or NOTHING, Style.STRONG),
        Cell(claim.verdict, _STYLES[claim.verdict]),
        Cell(claim.about),
        Cell(claim.reason),
    ]
