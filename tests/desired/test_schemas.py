import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from desired.declarations.declared import read_fleet
from desired.declarations.problems import RefusedError
from desired.declarations.values import KINDS
from tests.fleet_declarations import RECIPE, write_fleet
from tests.regenerate_schemas import FOLDER, SCHEMAS, schema_text


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_says_what_the_tables_say(name: str) -> None:
    written = (FOLDER / name).read_text(encoding="utf-8")
    assert written == schema_text(SCHEMAS[name]), "stale; run: python -m tests.regenerate_schemas"


def keys(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:  # noqa: ANN401
    for name, key in schema.get("properties", {}).items():
        yield f"{path}.{name}", key
    for name, table in schema.get("$defs", {}).items():
        yield from keys(table, name)


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_key_has_a_description(name: str) -> None:
    schema = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    described = {path: key.get("description", "") for path, key in keys(schema)}
    assert len(described) > 30
    assert [path for path, says in described.items() if not says.endswith((".", "`"))] == []


def defaults_of(file: str) -> Iterator[tuple[str, Any]]:
    schema = json.loads((FOLDER / file).read_text(encoding="utf-8"))
    for table, place in schema["properties"].items():
        if table != "defaults" and "$ref" in place:
            for key, of in schema["$defs"][place["$ref"].removeprefix("#/$defs/")]["properties"].items():
                if "default" in of:
                    yield f"{table}.{key}", of["default"]


def spelt(file: str) -> str:
    """The defaults that a schema names, written out; texts, numbers and lists are in TOML as in JSON."""
    return "".join(f"{key} = {json.dumps(default)}\n" for key, default in defaults_of(file))


def test_the_defaults_that_the_schemas_name_are_those_that_hold(tmp_path: Path) -> None:
    assert len(dict(defaults_of("recipe.schema.json"))) > 15
    plain = read_fleet(write_fleet(tmp_path / "plain", {"notes": RECIPE}))
    recipe = f"{spelt('recipe.schema.json')}recipe.upstream = {json.dumps(plain.recipes['notes'].upstream)}"
    fleet = f"format = 1\n{spelt('fleet.schema.json')}fleet.name = {json.dumps(plain.name)}"
    full = read_fleet(write_fleet(tmp_path / "full", {"notes": recipe}, fleet))
    notes = evolve(full.recipes["notes"], folder=plain.recipes["notes"].folder)
    assert evolve(full, folder=plain.folder, recipes={"notes": notes}) == plain


PATTERNED = {str(of): kind for of, kind in KINDS.items() if "pattern" in kind.schema}
NEAR_MISSES = st.one_of(
    st.text(max_size=12),
    st.from_regex(r"\A(v?[0-9]{1,2}\.[0-9]\.[0-9](\+[a-z0-9.-]{0,5})?|canonical)\Z"),
    st.from_regex(r"\A[0-9]{0,6}[smhdw]?\Z"),
    st.from_regex(r"\A([<>=~!]{1,2} ?[0-9.*]{1,5},?){1,3}\Z"),
    st.from_regex(r"\A(https|ssh|http|file|git)://[a-z@:/.\[\]-]{0,12}\Z"),
    st.from_regex(r"\A[a-z-]{0,4}@?[a-z.]{0,4}:[a-z/:-]{0,8}\Z"),
    st.from_regex(r"\A[A-Z_a-z0-9.-]{1,8}(\.service)?\Z"),
    st.from_regex(r"\A(direct|https?://[a-z.:\[\]]{1,8}(:[0-9]{0,5})?)\Z"),
    st.from_regex(r"\A[a-z0-9-]{1,4}(\.[a-z0-9-]{1,4}){0,2}\Z"),
    st.from_regex(r"\A[A-Za-z_.]{1,4}(/[a-z.-]{1,4}){0,2}\Z"),
    st.sampled_from(["PATH", "", "/", "/a b", "a\nb", "https://u:p@h/x", "file:///x", "x.service"]),
)


@given(NEAR_MISSES)
def test_an_editor_never_marks_what_is_accepted(text: str) -> None:
    for name, kind in PATTERNED.items():
        try:
            kind.read(text)
        except RefusedError:
            continue
        assert re.search(str(kind.schema["pattern"]), text), (name, text)
