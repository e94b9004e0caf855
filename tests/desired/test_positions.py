import json
from collections.abc import Iterator
from typing import Any

import pytest
import tomli
from hypothesis import event, given
from hypothesis import strategies as st

from desired.declarations.positions import START, nearest_position, positions, repeated_key
from desired.declarations.problems import Path

DOCUMENT = """\
# \u00e9
top = 1
a."b.c".d = [1, { x = 2, y.z = 3 }, [4]] # \u00e9
"\u00e9\u00e9" = { "k" = 1, 'l' = 2 }
[t . 'u']
  k = "\u00e9" \n\
[[list]]
n = 1
[[list]]
n = 2
[list.sub]
m = [
  1, # one
  # none
  { over = 1,
    lines = [2], },
]
[[list.sub.deep]]
o = 1
[[list]]
n = 3
"""

PLACES: dict[Path, tuple[int, int]] = {
    ("top",): (2, 1),
    ("a",): (3, 1),
    ("a", "b.c"): (3, 3),
    ("a", "b.c", "d"): (3, 9),
    ("a", "b.c", "d", 0): (3, 14),
    ("a", "b.c", "d", 1): (3, 17),
    ("a", "b.c", "d", 1, "x"): (3, 19),
    ("a", "b.c", "d", 1, "y"): (3, 26),
    ("a", "b.c", "d", 1, "y", "z"): (3, 28),
    ("a", "b.c", "d", 2): (3, 37),
    ("a", "b.c", "d", 2, 0): (3, 38),
    ("\u00e9\u00e9",): (4, 1),
    ("\u00e9\u00e9", "k"): (4, 10),
    ("\u00e9\u00e9", "l"): (4, 19),
    ("t",): (5, 2),
    ("t", "u"): (5, 6),
    ("t", "u", "k"): (6, 3),
    ("list",): (7, 3),
    ("list", 0): (7, 3),
    ("list", 0, "n"): (8, 1),
    ("list", 1): (9, 3),
    ("list", 1, "n"): (10, 1),
    ("list", 1, "sub"): (11, 7),
    ("list", 1, "sub", "m"): (12, 1),
    ("list", 1, "sub", "m", 0): (13, 3),
    ("list", 1, "sub", "m", 1): (15, 3),
    ("list", 1, "sub", "m", 1, "over"): (15, 5),
    ("list", 1, "sub", "m", 1, "lines"): (16, 5),
    ("list", 1, "sub", "m", 1, "lines", 0): (16, 14),
    ("list", 1, "sub", "deep"): (18, 12),
    ("list", 1, "sub", "deep", 0): (18, 12),
    ("list", 1, "sub", "deep", 0, "o"): (19, 1),
    ("list", 2): (20, 3),
    ("list", 2, "n"): (21, 1),
}


def paths(value: object, base: Path = ()) -> Iterator[Path]:
    """Every path of a document that was read."""
    below: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inside in below:
        yield (*base, step)
        yield from paths(inside, (*base, step))


def test_every_path_of_a_document_has_its_line_and_column() -> None:
    assert positions(DOCUMENT) == PLACES
    assert set(paths(tomli.loads(DOCUMENT))) == set(PLACES)


def test_a_path_that_is_not_there_is_placed_at_the_nearest_part_that_is() -> None:
    assert nearest_position(PLACES, ("list", 1, "n", "x", 3)) == (10, 1)
    assert nearest_position(PLACES, ("list", 7)) == (7, 3)
    assert nearest_position(PLACES, ("absent", "key")) == START
    assert nearest_position({}, ()) == START


scalars = st.one_of(st.booleans(), st.integers(0, 99), st.text("a\u00e9 ", max_size=3))
keys = st.one_of(st.text("ab", min_size=1, max_size=2), st.sampled_from(["a.b", "\u00e9", "", '"', "k k", "'"]))
values = st.recursive(
    scalars,
    lambda inside: st.one_of(st.lists(inside, max_size=3), st.dictionaries(keys, inside, max_size=3)),
    max_leaves=8,
)


def written_key(key: str) -> str:
    return key if key.isascii() and key.isalnum() else json.dumps(key, ensure_ascii=False)


def inline(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{written_key(key)} = {inline(inside)}" for key, inside in value.items()) + " }"
    if isinstance(value, list):
        return f"[{', '.join(map(inline, value))}]"
    return json.dumps(value, ensure_ascii=False)


@st.composite
def documents(draw: st.DrawFn) -> str:
    """One document in many ways: tables by header, in line or dotted, lists of tables by header or in line."""
    lines: list[str] = []

    def write(table: dict[str, Any], header: str) -> None:
        ways = {key: draw(st.sampled_from(["line", "dotted", "header"])) for key in table}
        for key, value in table.items():
            if ways[key] == "dotted" and isinstance(value, dict) and value:
                lines.extend(f"{written_key(key)} . {written_key(k)} = {inline(v)}" for k, v in value.items())
            elif ways[key] != "header" or not is_headed(value):
                lines.append(f"{draw(st.sampled_from(['', '  ']))}{written_key(key)} = {inline(value)} # \u00e9")
        for key, value in table.items():
            if ways[key] == "header" and is_headed(value):
                below = f"{header}{written_key(key)}"
                for each in value if isinstance(value, list) else [value]:
                    lines.append(f"[[{below}]]" if isinstance(value, list) else f"[{below}]")
                    write(each, f"{below}.")

    write(draw(st.dictionaries(keys, values, max_size=4)), "")
    return "\n".join(lines) + "\n"


def is_headed(value: object) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, list) and value != [] and all(isinstance(each, dict) for each in value)
    )


@given(documents())
def test_each_path_of_any_document_has_the_position_of_its_key_or_element(text: str) -> None:
    document = tomli.loads(text)
    found = positions(text)
    event(f"paths: {min(len(found), 20) // 5 * 5}+")
    assert set(found) == set(paths(document))
    lines = text.split("\n")
    for path, (line, column) in found.items():
        rest = lines[line - 1][column - 1 :]
        if isinstance(path[-1], str):
            assert rest.startswith(written_key(path[-1])), path
        else:
            assert rest[:1] not in {"", " ", ",", "]"}, path


@pytest.mark.parametrize(
    ("text", "key", "place"),
    [
        ("a = 1\na = 2", "a", (2, 1)),
        ("a = 1\n  a = { b = 2 } # x\nc = 3", "a", (2, 3)),
        ("\u00e9 = 1", "a key", START),
        ("a = { '\u00e9' = 1, '\u00e9' = 2 }", "'\u00e9'", (1, 16)),
        ("[a]\n[b]\n[a]\n", "a", (3, 2)),
        ("a.b = 1\na.b = 2\n", "a.b", (2, 1)),
        ("a = [1]\n[[a]]\n", "a", (2, 3)),
        ("a = [{ b = 1, b = 2 }]\n", "b", (1, 15)),
    ],
)
def test_a_repeated_key_has_the_position_of_its_second_occurrence(text: str, key: str, place: tuple[int, int]) -> None:
    with pytest.raises(tomli.TOMLDecodeError) as refused:
        tomli.loads(text)
    assert repeated_key(text, refused.value.pos) == (key, place)


def test_a_document_as_deep_as_can_be_read_has_positions() -> None:
    text = f"a = {'[' * 390}{']' * 390}"
    tomli.loads(text)
    assert positions(text)[("a", *[0] * 389)] == (1, 394)
