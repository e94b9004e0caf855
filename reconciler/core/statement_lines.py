"""Finds the ledger lines with the statements on the promotions of a recipe, and which generation a statement is of."""

from collections.abc import Iterable, Mapping

from state.ledger_line import LedgerLine

Body = Mapping[str, object]


def lines_since_forgotten(lines: Iterable[LedgerLine], recipe: str) -> tuple[LedgerLine, ...]:
    """Return the lines on `recipe` since it was last forgotten; all of them if it never was.

    `lines` are ledger lines, the oldest first.
    """
    found = [line for line in lines if line.entry.recipe == recipe]
    forgotten = [at for at, line in enumerate(found, 1) if line.entry.kind == "forgotten"]
    return tuple(found[forgotten[-1] if forgotten else 0 :])


def promoted_generation(lines: Iterable[LedgerLine], generation: int) -> int:
    """Return the generation whose promotion proved the release and the data of `generation`.

    This is `generation` itself, unless a rollback made it. Else it is the generation that the rollback copied, or, if a
    rollback made that one too, the one that it is a copy of, and so on. `lines` are ledger lines on one recipe.
    """
    bodies = [line.entry.body for line in lines if line.entry.kind == "rolled-back"]
    copies = {body.get("generation"): body.get("copy_of") for body in bodies}
    while isinstance(older := copies.get(generation), int) and older < generation:
        generation = older
    return generation


def statement_of_generation(lines: Iterable[LedgerLine], generation: int) -> Body | None:
    """Return the body of the line with the statement on the promotion of `generation`; None if there is none.

    `lines` are ledger lines on one recipe.
    """
    bodies = [line.entry.body for line in lines if line.entry.kind == "evidence"]
    return next((body for body in reversed(bodies) if body.get("generation") == generation), None)
