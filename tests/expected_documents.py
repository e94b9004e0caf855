"""Compares output with stored texts and with JSON Schemas. `REWRITE_GOLDEN=1 pytest` rewrites the stored texts."""

import json
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from reconciler.cli.failures import wants_json
from reconciler.cli.schema_command import read_definitions
from reconciler.show.documents.schemas import ANSWERS, LINES, schema_of

FOLDER = Path(__file__).parent / "show" / "golden"


def golden_text(name: str, text: str) -> str:
    """Return the stored text `name`. The test compares it with `text`, which is only used to rewrite it."""
    path = FOLDER / name
    if os.environ.get("REWRITE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    return path.read_text(encoding="utf-8")


TYPES: dict[str, type | tuple[type, ...]] = {
    "array": list,
    "boolean": bool,
    "integer": int,
    "null": type(None),
    "number": (int, float),
    "object": dict,
    "string": str,
}
KNOWN = {
    "$defs",
    "$ref",
    "$schema",
    "additionalProperties",
    "anyOf",
    "const",
    "enum",
    "items",
    "pattern",
    "properties",
    "required",
    "title",
    "type",
}
Schema = dict[str, Any]


def format_1_schema(command: str) -> Schema:
    """Return the JSON Schema of what a command prints, as `reconcile schema` prints it."""
    return schema_of(command, read_definitions())


def answer_errors(words: Sequence[str], out: str) -> list[str]:
    """Return every way in which the JSON that a command printed breaks the schema of that command.

    `words` are the command line. Return none for text: the errors of a command that prints JSON without being asked
    are text.
    """
    command = command_of(words)
    if not wants_json(words) and (command not in {"evidence", "schema", "pass-events"} or not out):
        return []
    schema = format_1_schema(command)
    texts = out.splitlines() if command in LINES and not out.startswith("{\n") else [out]
    return [error for text in texts for error in schema_errors(json.loads(text), schema, schema)]


def command_of(words: Sequence[str]) -> str:
    """Return the command that a command line names: "pass" for none, "plan" for a dry run, "pass-events" for lines."""
    if "--events" in words:
        return "pass-events"
    named = next((word for word in words if word in ANSWERS), "pass")
    return "plan" if named == "pass" and "--dry-run" in words else named


def schema_errors(value: object, schema: Schema, whole: Schema, path: str = "$") -> Iterator[str]:
    """Yield every way in which `value` breaks `schema`. `whole` is the document that `$ref` points into.

    Stricter than JSON Schema: a key that the schema does not name is an error.
    """
    assert set(schema) <= KNOWN, path
    if "$ref" in schema:
        yield from schema_errors(value, whole["$defs"][schema["$ref"].removeprefix("#/$defs/")], whole, path)
    if "anyOf" in schema:
        yield from _no_alternative(value, schema["anyOf"], whole, path)
    if "type" in schema and not _is_of(value, schema["type"]):
        yield f"{path}: {value!r} is no {schema['type']}"
        return
    if value not in schema.get("enum", [value]) or value != schema.get("const", value):
        yield f"{path}: {value!r} is not allowed"
    if "pattern" in schema and isinstance(value, str) and not re.search(schema["pattern"], value):
        yield f"{path}: {value!r} does not look right"
    yield from _inside(value, schema, whole, path)


def _no_alternative(value: object, alternatives: Sequence[Schema], whole: Schema, path: str) -> Iterator[str]:
    """Yield the errors of the alternative that fits best, nothing if one fits."""
    yield from min((list(schema_errors(value, each, whole, path)) for each in alternatives), key=len)


def _is_of(value: object, kinds: str | list[str]) -> bool:
    names = [kinds] if isinstance(kinds, str) else kinds
    return any(isinstance(value, TYPES[name]) and (name == "boolean") is isinstance(value, bool) for name in names)


def _inside(value: object, schema: dict[str, Any], whole: dict[str, Any], path: str) -> Iterator[str]:
    if isinstance(value, list):
        for place, each in enumerate(value):
            yield from schema_errors(each, schema.get("items", {}), whole, f"{path}[{place}]")
    if isinstance(value, dict):
        yield from (f"{path}: {key} is missing" for key in schema.get("required", []) if key not in value)
        for key, each in value.items():
            other = schema.get("additionalProperties", not schema.get("properties") or "type" not in schema)
            inner = schema.get("properties", {}).get(key, other)
            if inner is False:
                yield f"{path}: {key} is unknown"
            elif inner is not True:
                yield from schema_errors(each, inner, whole, f"{path}.{key}")
