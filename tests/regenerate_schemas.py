"""Writes the JSON Schemas of the declarations from their tables: `python -m tests.regenerate_schemas`."""

import inspect
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from attrs import Attribute, fields, has

import desired
from desired.declarations.tables import FleetFile, RecipeFile, toml_key
from desired.declarations.values import FILLED_LISTS, KINDS

FOLDER: Final = Path(inspect.getfile(desired)).parent
SCHEMAS: Final[Mapping[str, type]] = {"fleet.schema.json": FleetFile, "recipe.schema.json": RecipeFile}

Json = dict[str, Any]


def schema_text(file: type) -> str:
    tables = {table.__name__: _table_schema(table) for table in _tables_below(file)}
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", **_table_schema(file), "$defs": tables}
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def _tables_below(table: type) -> Iterator[type]:
    for of in get_type_hints(table).values():
        if has(of):
            yield of
            yield from _tables_below(of)


def _table_schema(table: type) -> Json:
    hints = get_type_hints(table)
    required = [toml_key(key.name) for key in fields(table) if _is_required(key, hints[key.name])]
    return {
        "description": inspect.getdoc(table),
        "type": "object",
        "additionalProperties": False,
        "properties": {toml_key(key.name): _key_schema(key, hints[key.name]) for key in fields(table)},
        **({"required": required} if required else {}),
    }


def _is_required(key: "Attribute[Any]", of: Any) -> bool:  # noqa: ANN401  # annotations of tables
    """A table is required where one of its keys is."""
    return key.metadata.get("required") is True or (has(of) and any(k.metadata.get("required") for k in fields(of)))


def _key_schema(key: "Attribute[Any]", of: Any) -> Json:  # noqa: ANN401
    schema = _type_schema(of)
    if "says" in key.metadata:
        schema = {**schema, "description": key.metadata["says"]}
    if key.metadata.get("default") is not None:
        schema["default"] = key.metadata["default"]
    return schema


def _type_schema(of: Any) -> Json:  # noqa: ANN401
    if of in KINDS:
        return dict(KINDS[of].schema)
    if of in FILLED_LISTS:
        return {**_type_schema(FILLED_LISTS[of]), "minItems": 1}
    if has(of):
        return {"description": inspect.getdoc(of), "$ref": f"#/$defs/{of.__name__}"}
    return _composed_schema(get_origin(of), get_args(of))


def _composed_schema(origin: Any, parts: tuple[Any, ...]) -> Json:  # noqa: ANN401
    if origin in {Union, UnionType}:
        (given,) = (part for part in parts if part is not NoneType)
        return _type_schema(given)
    if origin is tuple:
        return {"type": "array", "items": _type_schema(parts[0])}
    name, value = map(_type_schema, parts)
    return {"type": "object", "propertyNames": name, "additionalProperties": value}


if __name__ == "__main__":
    for name, file in SCHEMAS.items():
        (FOLDER / name).write_text(schema_text(file), encoding="utf-8")
