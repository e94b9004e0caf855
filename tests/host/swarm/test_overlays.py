"""Tests that compose files of other versions and folders are adapted so that Docker's client merges them."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from reconciler.host.swarm.recipe.overlays import (
    files_beside_first,
    naming_version,
    normalized,
    replace_env_files,
    set_version,
    value_at,
    version_of,
)

BLOCK = """\
---
# The version of this one comes last.
services:
  app: {image: "nginx:1", labels: ["version=1"]}
  web:
    environment:
      version: "2"
version: '3.8'  # so it is
"""


@pytest.mark.parametrize(
    ("version", "named"),
    [("3", "3.8"), ("3.0", "3.8"), ("3.3", "3.8"), ("3.4", "3.8"), ("3.5", "3.5"), ("3.13", "3.13"), ("3.x", "3.x")],
)
def test_a_version_that_knows_no_names_becomes_one_that_does(version: str, named: str) -> None:
    assert naming_version(version) == named


@pytest.mark.parametrize(
    ("text", "version"),
    [
        (BLOCK, "3.8"),
        ("version: 3.8\nservices: {}\n", "3.8"),
        ('{"services": {"version": {}}}', None),
        ("", None),
        ("- a\n", None),
        ("a: [\n", None),
        ("a: b\n---\nversion: c\n", None),
    ],
)
def test_the_version_is_the_files_own_key(text: str, version: str | None) -> None:
    assert version_of(text) == version


def test_only_the_version_of_a_compose_file_is_changed() -> None:
    assert set_version(BLOCK, "3.3") == BLOCK.replace("'3.8'", '"3.3"')
    assert set_version(BLOCK, "3.8") == BLOCK
    assert set_version(BLOCK, None) == BLOCK.replace("version: '3.8'", "")
    assert set_version("a: [\n", "3.8") == "a: [\n"
    assert set_version("# nothing\n", "3.8") == "# nothing\n"


NAMES = st.sampled_from(["services", "networks", "version", "x-more", "volumes"])
PARTS = st.recursive(
    st.sampled_from(["a", "b: c", "# d", "'e'", "\u00fc", "", None, 7, True]),
    lambda part: st.lists(part, max_size=2) | st.dictionaries(NAMES, part, max_size=2),
    max_leaves=5,
)
VERSIONS = st.sampled_from(["3.8", "3.3", "3"])
WRITERS: Mapping[str, Callable[[object], str]] = {
    "json": json.dumps,
    "indented json": lambda told: json.dumps(told, indent=2),
    "block": lambda told: yaml.safe_dump(told, sort_keys=False),
    "flow": lambda told: yaml.safe_dump(told, sort_keys=False, default_flow_style=True),
    "document": lambda told: "---\n# first\n" + yaml.safe_dump(told, sort_keys=False, indent=4),
}


@given(st.data(), st.sampled_from([*WRITERS]), st.none() | VERSIONS)
def test_changing_the_version_of_a_compose_file_changes_nothing_else_in_it(
    data: st.DataObject, writer: str, version: str | None
) -> None:
    names = data.draw(st.lists(NAMES, min_size=1, unique=True))
    told = {name: data.draw(VERSIONS if name == "version" else PARTS) for name in names}
    text = set_version(WRITERS[writer](told), version)
    changed = yaml.safe_load(text)
    assert changed.pop("version", None) == version == version_of(text)
    wanted = {name: value for name, value in told.items() if name != "version"}
    assert changed == wanted or (wanted, changed, version) == ({}, {"services": {}}, None)


def test_a_text_is_found_by_its_keys_and_is_empty_where_there_is_none() -> None:
    text = "configs: {page: {name: '${A}_b', file: x}}\n"
    assert value_at(text, "configs", "page", "name") == "${A}_b"
    for keys in (("configs", "page"), ("configs", "other", "name"), ("secrets", "page", "name"), ()):
        assert value_at(text, *keys) == ""
    assert value_at("a: [", "a") == ""


def test_only_the_paths_of_env_files_are_changed() -> None:
    text = """\
services:
  app:
    env_file: a.env
    environment: {env_file: a.env}
  web: {env_file: [b.env, "./a.env", c.env]}
  db: {}
"""
    changed = replace_env_files(text, lambda name: f"/there/{name}" if name.endswith("a.env") else name)
    assert yaml.safe_load(changed) == {
        "services": {
            "app": {"env_file": "/there/a.env", "environment": {"env_file": "a.env"}},
            "web": {"env_file": ["b.env", "/there/./a.env", "c.env"]},
            "db": {},
        }
    }


def test_copies_lie_beside_the_first_file_for_as_long_as_they_are_read(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "fleet").mkdir()
    first, same, other = (tmp_path / name for name in ("compose.yml", "same.yml", "sub/other.yml"))
    fleets = tmp_path / "fleet" / "ci.yml"
    first.write_text('version: "3.3"\nservices: {app: {env_file: sub/x.env}}\n')
    same.write_text('version: "3.3"\nservices: {}\n')
    other.write_text('version: "3.8"\nservices: {app: {env_file: [x.env, sub/x.env]}}\n')
    fleets.write_text("services: {app: {env_file: y.env}}\n")
    for path in ("sub/x.env", "fleet/y.env"):
        (tmp_path / path).write_text("X=1\n")
    (tmp_path / "release").mkdir()
    before = sorted(tmp_path.rglob("*"))
    with files_beside_first([first, same, other, fleets, tmp_path / "missing.yml"]) as files:
        assert files[:2] == (first, same)
        assert [file.parent for file in files] == [tmp_path] * 5
        assert files[4] == tmp_path / "missing.yml"
        told = [yaml.safe_load(file.read_text()) for file in files[2:4]]
    assert told[0] == {"version": "3.3", "services": {"app": {"env_file": ["sub/x.env", "sub/x.env"]}}}
    assert told[1] == {"version": "3.3", "services": {"app": {"env_file": "fleet/y.env"}}}
    assert sorted(tmp_path.rglob("*")) == before
    assert dict(normalized([first, other], ["a", "b"])) == {
        "a": first.read_text().replace("3.3", "3.8"),
        "b": other.read_text().replace("[x.env", '["sub/x.env"'),
    }
