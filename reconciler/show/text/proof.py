"""The text of `reconcile prove`."""

from collections.abc import Iterator

from reconciler.core.proof import Proof
from reconciler.show.quantities import count_of
from reconciler.show.text.screen import NOTHING, Cell, Screen, Style, align, paint


def render_proof(proof: Proof, screen: Screen) -> str:
    """Return the text of `reconcile prove`: a table, and a line with the verdict.

    The table has the reasons why it is not proved that a pass would do nothing: what a pass would do, and what is not
    known. An empty table is left out.
    """
    rows = [[Cell(name or NOTHING, Style.STRONG), Cell(text, Style.WARN)] for name, text in _problems(proof)]
    table = [*align(("RECIPE", "A PASS WOULD"), rows, screen), ""] if rows else []
    return "\n".join([*table, paint(proof_line(proof), Style.STRONG, screen)]) + "\n"


def proof_line(proof: Proof) -> str:
    """Return a line such as "proved: a pass would do nothing; …", or "not proved: 2 recipes could not be seen; …"."""
    planned = f"{count_of(proof.recipes, 'recipe')} enrolled, planned twice"
    match proof.exit_code:
        case 0:
            return f"proved: a pass would do nothing; {planned}; the ledger has the certificate of {proof.digest}"
        case 5:
            return "not proved: nothing is enrolled"
        case 1:
            unseen = count_of(len(proof.unseen) + len(proof.unknown), "thing" if proof.unknown else "recipe")
            return f"not proved: {unseen} could not be seen; {planned}"
        case _:
            return f"not proved: {count_of(sum(1 for _ in _problems(proof)), 'thing')} would not stand still; {planned}"


def _problems(proof: Proof) -> Iterator[tuple[str, str]]:
    """Yield each reason why it is not proved that a pass would do nothing, as a recipe and a text.

    The recipe is "" if the reason is about no recipe.
    """
    yield from proof.unsettled.items()
    yield from ((name, f"not known, it could not be seen: {why}") for name, why in proof.unseen.items())
    yield from (("", f"not known, it could not be seen: {text}") for text in proof.unknown)
    yield from (
        ("", f"plan otherwise, the second plan saw another thing than the first: {text}") for text in proof.moved
    )
    yield from (("", f"clean up: {text}") for text in proof.left)
