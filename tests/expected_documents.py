"""Compares output with stored texts and with JSON Schemas. `REWRITE_GOLDEN=1 pytest` rewrites the stored texts."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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


def format_1_schema(name: str = "format1") -> dict[str, Any]:
    """Return the JSON Schema of format 1: that of reports, or of another command's answer."""
    path = Path(__file__).parent / "show" / f"{name}.schema.json"
    schema: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return schema


def schema_errors(value: object, schema: dict[str, Any], whole: dict[str, Any], path: str = "$") -> Iterator[str]:
    """Yield every way in which `value` breaks `schema`. `whole` is the document that `$ref` points into."""
    assert set(schema) <= KNOWN, path
    if "$ref" in schema:
        yield from schema_errors(value, whole["$defs"][schema["$ref"].removeprefix("#/$defs/")], whole, path)
    if "anyOf" in schema and all(any(schema_errors(value, each, whole, path)) for each in schema["anyOf"]):
        yield f"{path}: none of the alternatives"
    if "type" in schema and not _is_of(value, schema["type"]):
        yield f"{path}: {value!r} is no {schema['type']}"
        return
    if value not in schema.get("enum", [value]) or value != schema.get("const", value):
        yield f"{path}: {value!r} is not allowed"
    if "pattern" in schema and not re.search(schema["pattern"], str(value)):
        yield f"{path}: {value!r} does not look right"
    yield from _inside(value, schema, whole, path)


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
            other = schema.get("additionalProperties", {})
            inner = schema.get("properties", {}).get(key, other)
            if inner is False:
                yield f"{path}: {key} is unknown"
            else:
                yield from schema_errors(each, inner, whole, f"{path}.{key}")
