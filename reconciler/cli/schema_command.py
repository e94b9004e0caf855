"""`reconcile schema`: prints the JSON Schema of what commands print with `-o json`."""

import json
from pathlib import Path
from typing import Any

from reconciler.cli.standard_streams import print_answer
from reconciler.errors import UsageError
from reconciler.show import documents
from reconciler.show.documents.schemas import ANSWERS, Definitions, schema_of, whole_schema


def schema(command: str | None) -> int:
    """Print the JSON Schema of what `command` prints with -o json; of every command if `command` is None. Return 0.

    Raise UsageError for a command that prints no JSON.
    """
    if command is not None and command not in ANSWERS:
        raise UsageError(f"no schema {command}", f"there are: {', '.join(ANSWERS)}")
    definitions = read_definitions()
    found = whole_schema(definitions) if command is None else schema_of(command, definitions)
    return print_answer(json.dumps(found, indent=2) + "\n", 0)


def read_definitions() -> Definitions:
    """Return the definitions, by name, of `format1.schema.json`: the JSON Schema of all that commands print."""
    file = Path(documents.__path__[0]) / "format1.schema.json"
    whole: dict[str, Any] = json.loads(file.read_text("utf-8"))
    definitions: Definitions = whole["$defs"]
    return definitions
