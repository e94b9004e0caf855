"""`reconcile evidence`: prints what other programs can verify of a promotion."""

import json

from reconciler.cli.command_context import load_context
from reconciler.cli.missing_state import print_missing_state
from reconciler.cli.options import Options
from reconciler.cli.standard_streams import print_answer
from reconciler.core.statement_lines import lines_since_forgotten, promoted_generation, statement_of_generation
from reconciler.errors import UsageError
from reconciler.stages.observe import require_readable_record
from state.registry.registry import SqliteRegistry


def evidence(options: Options, name: str, generation: int | None) -> int:
    """Print the in-toto statement on the promotion of a generation of the recipe `name`, in a DSSE envelope. Return 0.

    If `generation` is None, it is the canonical. If a rollback made the generation, print the statement on the
    promotion of the generation that it is a copy of. Generations from before the recipe was forgotten do not count.

    Raise UsageError if there is no such statement, or if `generation` is None and there is no canonical. Raise
    CanonError if the record of the canonical is needed and cannot be read.
    """
    context = load_context(options)
    print_missing_state(context.state)
    registry = SqliteRegistry(context.state.database)
    asked = generation if generation is not None else _canonical_generation(registry, name)
    lines = lines_since_forgotten(registry.lines(), name)
    promoted = promoted_generation(lines, asked)
    body = statement_of_generation(lines, promoted)
    if body is None:
        copied = f", a copy of generation {promoted}" if promoted != asked else ""
        hint = f"a promotion keeps it; see: reconcile history {name}"
        raise UsageError(f"{name} has no evidence of generation {asked}{copied}", hint)
    return print_answer(json.dumps(body["envelope"], indent=2) + "\n", 0)


def _canonical_generation(registry: SqliteRegistry, name: str) -> int:
    """Return the generation of the canonical of the recipe `name`.

    Raise UsageError if there is no canonical, CanonError if its record cannot be read.
    """
    records = registry.read()
    require_readable_record(name, records)
    if name not in records.canonicals:
        raise UsageError(f"{name} has no canonical", f"see: reconcile history {name}")
    return records.canonicals[name].generation
