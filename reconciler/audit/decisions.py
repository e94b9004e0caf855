"""Compares recorded holds and recorded differences with the lines of the ledger that began and ended them."""

from collections.abc import Iterator, Sequence
from contextlib import suppress

from reconciler.audit.claims import Claim, checked, differs
from reconciler.audit.ledger_history import RecipeHistory
from reconciler.audit.records import NotReadableError, fields_of, row_problem
from reconciler.audit.registry_file import RecordRow, StoredRows

# What both the ledger and a record say of a hold.
_OF_HOLD = ("reason", "who", "until")


def decision_claims(registry: StoredRows, recipe: str, history: RecipeHistory) -> Iterator[Claim]:
    """Yield at most two claims about a recipe: its hold is as in the ledger, and its differences are as in the ledger.

    The claim on the hold is left out if neither the tables nor the ledger have a hold. The claim on differences is left
    out if neither have differences. `history` is what the ledger says of the recipe.
    """
    holds, drifts = registry.of("hold", recipe), registry.of("drift", recipe)
    if holds or history.hold:
        yield checked(recipe, "hold", *_hold_problems(holds, history))
    if drifts or history.drift:
        yield checked(recipe, "drift", *_drift_problems(drifts, history))


def _hold_problems(rows: Sequence[RecordRow], history: RecipeHistory) -> Iterator[str]:
    yield from map(row_problem, rows)
    said = history.hold
    if said is None:
        yield "it is recorded, and no line of the ledger began it"
    elif not rows:
        yield f"line {said.seq} of the ledger began it, and it is not recorded"
    else:
        with suppress(NotReadableError):
            record = fields_of(rows[0])
            named = [name for name in _OF_HOLD if name in said.body]
            yield from (differs(f"its {name}", record.get(name), said.body[name]) for name in named)


def _drift_problems(rows: Sequence[RecordRow], history: RecipeHistory) -> Iterator[str]:
    yield from map(row_problem, rows)
    recorded: set[str] = set()
    with suppress(NotReadableError, AttributeError):
        recorded = {name for row in rows for name in fields_of(row).get("since", {})}
    yield differs("how the recipe differs", sorted(recorded), sorted(history.drift))
