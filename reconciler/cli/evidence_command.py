"""`reconcile evidence`: prints what other programs can verify of a promotion."""

import json

from reconciler.cli.command_context import load_context
from reconciler.cli.options import Options
from reconciler.cli.standard_streams import print_answer
from reconciler.errors import UsageError
from state.registry.registry import SqliteRegistry


def evidence(options: Options, name: str, generation: int | None) -> int:
    """Print the in-toto statement on the promotion of a generation of the recipe `name`, in a DSSE envelope. Return 0.

    If `generation` is None, print the statement on the newest generation. Raise UsageError if the generation has no
    statement.
    """
    context = load_context(options)
    entries = [line.entry for line in SqliteRegistry(context.state.database).lines()]
    bodies = [entry.body for entry in entries if (entry.kind, entry.recipe) == ("evidence", name)]
    chosen = [body for body in bodies if generation in {None, body["generation"]}]
    if not chosen:
        which = f"of generation {generation}" if generation is not None else "of a promotion"
        raise UsageError(f"{name} has no evidence {which}", "a promotion keeps it; see: reconcile history " + name)
    return print_answer(json.dumps(chosen[-1]["envelope"], indent=2) + "\n", 0)
