"""Writes the JSON Schemas of the declarations from their tables: `python -m tests.regenerate_schemas`."""

import inspect
import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from types import NoneType, SimpleNamespace, UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from attrs import Attribute, evolve, fields, has

import desired
from desired.declarations import fleet_tables as f
from desired.declarations import tables as t
from desired.declarations.fleet_tables import FleetFile
from desired.declarations.problems import RefusedError
from desired.declarations.tables import RecipeFile, toml_key
from desired.declarations.values import DIRECT, FILLED_LISTS, KINDS
from desired.model import Fleet, Recipe

FOLDER: Final = Path(inspect.getfile(desired)).parent
SCHEMAS: Final[Mapping[str, type]] = {"fleet.schema.json": FleetFile, "recipe.schema.json": RecipeFile}

RECIPE: Final = Recipe("", "", Path())
FLEET: Final = Fleet("", Path(), {})
DEFAULTS: Final[Mapping[type, object]] = {
    t.RecipeTable: RECIPE,
    t.ReleaseTable: RECIPE,
    t.InstallTable: RECIPE.install,
    t.ReadyTable: RECIPE.ready,
    t.StopTable: RECIPE.stop,
    t.DataTable: RECIPE.data,
    t.BackupTable: RECIPE.backup,
    t.UpgradeTable: RECIPE.upgrade,
    t.CustomTable: RECIPE.custom,
    t.CanonicalTable: RECIPE.canonical,
    t.DriftTable: RECIPE.drift,
    t.WaysTable: RECIPE.ways,
    f.FleetTable: FLEET,
    f.EnvironmentTable: SimpleNamespace(pass_=FLEET.passes),
    f.NotifyTable: FLEET.notify,
    f.SwarmTable: evolve(FLEET.swarm, proxy=FLEET.swarm.proxy or DIRECT),
}
"""The values of the model that hold where the keys of a table are not given."""

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
        "properties": {toml_key(key.name): _key_schema(table, key, hints[key.name]) for key in fields(table)},
        **({"required": required} if required else {}),
    }


def _is_required(key: "Attribute[Any]", of: Any) -> bool:  # noqa: ANN401  # annotations of tables
    """A table is required where one of its keys is."""
    return key.metadata.get("required") is True or (has(of) and any(k.metadata.get("required") for k in fields(of)))


def _key_schema(table: type, key: "Attribute[Any]", of: Any) -> Json:  # noqa: ANN401
    schema = _type_schema(of)
    if "description" in key.metadata:
        schema = {**schema, "description": key.metadata["description"]}
    default = getattr(DEFAULTS.get(table), key.name, None)
    if default is not None and _is_accepted(default, of):
        schema["default"] = _as_toml(default)
    return schema


def _is_accepted(default: object, of: Any) -> bool:  # noqa: ANN401
    """Whether the key takes its default: the model's "" for "not given" can often not be written."""
    kind = next((KINDS[part] for part in get_args(of) if part in KINDS), None)
    try:
        return kind is None or kind.read(_as_toml(default)) == default
    except RefusedError:
        return False


def _as_toml(value: object) -> object:
    """Return a value of the model as a declaration spells it: a timedelta as "10m" or "30s", a tuple as a list."""
    if isinstance(value, timedelta):
        minutes, seconds = divmod(int(value.total_seconds()), 60)
        return f"{60 * minutes + seconds}s" if seconds else f"{minutes}m"
    return list(value) if isinstance(value, tuple) else value


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
